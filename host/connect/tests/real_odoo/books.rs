//! What the books have: orders, and what is billed and paid of them.

use anyhow::Context as _;
use cambist_connect::books::{Books, OrderState};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::{Odoo, deal, fresh, target_id};

/// What an administrator does in the German company.
async fn clerk(
    odoo: &Odoo,
    model: &str,
    method: &str,
    mut body: Value,
    about: &Value,
) -> anyhow::Result<Value> {
    let company: u64 = odoo.fact("COMPANY_DE").parse()?;
    let mut context = json!({"allowed_company_ids": [company]});
    if let (Some(context), Some(about)) = (context.as_object_mut(), about.as_object()) {
        context.extend(about.clone());
    }
    body.as_object_mut()
        .context("no object")?
        .insert("context".to_owned(), context);
    // the workspace's HTTP client leaves the choice of cryptography to its user
    drop(rustls::crypto::ring::default_provider().install_default());
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(format!("{}/json/2/{model}/{method}", odoo.fact("URL")))
        .bearer_auth(odoo.fact("ADMIN_KEY"))
        .header("x-odoo-database", odoo.fact("DB"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await?;
    let text = answer.text().await?;
    serde_json::from_str(&text).context(text)
}

fn first(answer: &Value) -> Option<u64> {
    answer
        .as_array()
        .and_then(|ids| ids.first())
        .unwrap_or(answer)
        .as_u64()
}

/// All pages of a list.
async fn orders_of(books: &dyn Books, from: Timestamp, to: Timestamp) -> anyhow::Result<Vec<String>> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = books.orders_of((from, to), after.as_deref()).await?;
        after = page.last().map(|order| order.id.clone());
        let is_last = page.len() < cambist_connect::books::PAGE;
        all.extend(page.into_iter().map(|order| order.id));
        if is_last {
            return Ok(all);
        }
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "Odoo dates what it confirms and posts by its clock"
)]
async fn orders_and_invoices_are_what_odoo_shows() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let (plan, _) = deal(&fresh("books"));
    let receipts = odoo.target().deliver(&plan, &[]).await?;
    let order = target_id(&receipts, 3);
    let systems = odoo.systems(odoo.fact("DB"), odoo.fact("KEY"));
    let books = systems.books("odoo").context("no books")?;

    let found = books.orders(&[order.clone(), "999999999".to_owned()]).await?;
    let [one] = found.as_slice() else {
        anyhow::bail!("{found:?}")
    };
    // three times 33.33 and once 50
    assert_eq!((one.net, one.currency.as_str()), (Decimal::new(14_999, 2), "EUR"));
    assert_eq!((one.state, one.invoices.len()), (OrderState::Confirmed, 0));
    assert!(one.changed.is_some() && one.name.starts_with('S'), "{one:?}");
    let (now, day) = (Timestamp::now(), SignedDuration::from_hours(24));
    assert!(
        orders_of(books.as_ref(), now - day, now + day)
            .await?
            .contains(&order)
    );
    assert!(
        !orders_of(books.as_ref(), now - day * 3, now - day * 2)
            .await?
            .contains(&order)
    );

    // half of it is billed, and then paid
    let number: u64 = order.parse()?;
    let nothing = json!({});
    let wizard = json!({"vals_list": {"advance_payment_method": "percentage", "amount": 50,
        "sale_order_ids": [[6, 0, [number]]]}});
    let made = clerk(&odoo, "sale.advance.payment.inv", "create", wizard, &nothing).await?;
    let wizard = json!({"ids": [first(&made)]});
    clerk(
        &odoo,
        "sale.advance.payment.inv",
        "create_invoices",
        wizard,
        &nothing,
    )
    .await?;
    let [one] = <[_; 1]>::try_from(books.orders(std::slice::from_ref(&order)).await?)
        .ok()
        .context("one order")?;
    let invoices = one.invoices;
    // a draft bills nothing yet
    assert_eq!(books.invoices(&invoices).await?, []);
    let id: u64 = invoices.first().context("no invoice")?.parse()?;
    clerk(
        &odoo,
        "account.move",
        "action_post",
        json!({"ids": [id]}),
        &nothing,
    )
    .await?;
    let posted = books.invoices(&invoices).await?;
    let [posted] = posted.as_slice() else {
        anyhow::bail!("{posted:?}")
    };
    let shown = |field: &str| -> anyhow::Result<Decimal> {
        Ok(odoo
            .sql(&format!("select {field} from account_move where id = {id}"))
            .parse()?)
    };
    assert_eq!(
        (posted.gross, posted.residual),
        (shown("amount_total")?, shown("amount_residual")?)
    );
    assert!(posted.gross > Decimal::ZERO && posted.gross == posted.residual);
    assert_eq!(
        posted.name,
        odoo.sql(&format!("select name from account_move where id = {id}"))
    );

    let about = json!({"active_model": "account.move", "active_ids": [id]});
    let wizard = json!({"vals_list": {}});
    let made = clerk(&odoo, "account.payment.register", "create", wizard, &about).await?;
    let wizard = json!({"ids": [first(&made)]});
    clerk(
        &odoo,
        "account.payment.register",
        "action_create_payments",
        wizard,
        &about,
    )
    .await?;
    let today = TimeZone::UTC.to_datetime(now).date();
    let dated = books
        .invoices_of((today.checked_sub(1.day())?, today.checked_add(2.days())?), None)
        .await?;
    let paid = dated
        .iter()
        .find(|invoice| invoice.id == id.to_string())
        .context("not dated so")?;
    assert_eq!((paid.gross, paid.residual), (posted.gross, Decimal::ZERO));
    let billed: Vec<String> = books
        .billed(&invoices)
        .await?
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(billed, [order]);
    Ok(())
}
