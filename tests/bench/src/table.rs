//! The report, for people.

use comfy_table::{CellAlignment, Table, presets};

use crate::{
    Report, accept, file,
    mapping::{self, Side},
    month_end, neighbours, swap, thousand, way,
};

/// All of it, as text.
pub(crate) fn of(report: &Report) -> String {
    let mapping = (!report.mapping.is_empty()).then(|| mapping(&report.mapping));
    let file = (!report.file.is_empty()).then(|| file(&report.file));
    let accept = report.accept.as_ref().map(accept);
    let way = report.way.as_ref().map(way);
    let neighbours = report.neighbours.as_ref().map(neighbours);
    let swap = report.swap.as_ref().map(swap);
    let thousand = report.thousand.as_ref().map(thousand);
    let month_end = report.month_end.as_ref().map(month_end);
    let tables: Vec<String> = [mapping, file, accept, way, neighbours, swap, thousand, month_end]
        .into_iter()
        .flatten()
        .map(|table| table.to_string())
        .collect();
    tables.join("\n\n")
}

fn mapping(messages: &[mapping::Measured]) -> Table {
    let mut table = plain([
        "microseconds of processor time",
        "bare",
        "native",
        "sandboxed",
        "kept",
        "of native",
        "kept of it",
        "of bare",
        "fuel",
    ]);
    for message in messages {
        for (what, side) in [
            ("read", message.read),
            ("write", message.write),
            ("mapping", message.mapping),
        ] {
            table.add_row(row(
                &format!("{what} of {}, {} bytes", message.message, message.bytes),
                side,
            ));
        }
    }
    table
}

fn file(messages: &[file::Measured]) -> Table {
    let mut table = plain([
        "the file's read, microseconds of processor time",
        "fresh",
        "kept",
        "of fresh",
    ]);
    for measured in messages {
        table.add_row([
            measured.message.clone(),
            format!("{:.0}", measured.fresh_us),
            format!("{:.0}", measured.kept_us),
            format!("{:.2}", measured.ratio),
        ]);
    }
    table
}

fn accept(accept: &accept::Measured) -> Table {
    let mut table = plain(["webhooks accepted in a second", "", "of syncs"]);
    table.add_row([
        format!("fdatasync of {} bytes, in a loop", accept.bytes),
        format!("{:.0}", accept.syncs_per_second),
        "1.00".to_owned(),
    ]);
    for rated in &accept.callers {
        table.add_row([
            format!("{} callers", rated.callers),
            format!("{:.0}", rated.per_second),
            format!("{:.2}", rated.ratio),
        ]);
    }
    table
}

fn way(way: &way::Measured) -> Table {
    let mut table = plain(["the whole way, microseconds", "", "share"]);
    let mut part = |what: &str, time: f64| {
        table.add_row([
            what.to_owned(),
            format!("{time:.0}"),
            format!("{:.0} %", 100.0 * time / way.alone_us),
        ]);
    };
    part("one message alone, webhook to receipt", way.alone_us);
    part("  until its sender has the 202", way.accepted_us);
    for stage in &way.stages {
        part(&format!("  {}", stage.stage), stage.us);
    }
    part("  commits between the stages, and waiting", way.rest_us);
    part("its commits as bare fdatasyncs", way.syncs_us);
    part("many at once, each: wall clock", way.together_us);
    part("many at once, each: processor time", way.together_cpu_us);
    table
}

fn neighbours(measured: &neighbours::Measured) -> Table {
    let mut table = plain(["a message's whole way, microseconds", "median", "p99", "of quiet"]);
    for (what, taken, factor) in [
        ("the neighbour is quiet", measured.quiet, 1.0),
        (
            "its plugin loops at every message",
            measured.beside,
            measured.p99_factor,
        ),
    ] {
        table.add_row([
            what.to_owned(),
            format!("{:.0}", taken.median_us),
            format!("{:.0}", taken.p99_us),
            format!("{factor:.2}"),
        ]);
    }
    table
}

fn swap(measured: &swap::Measured) -> Table {
    let mut table = plain(["swaps, microseconds", "median", "p99", "of quiet"]);
    let number = |time: f64| format!("{time:.0}");
    let none = String::new;
    let header = format!("a new file to its first message, {} times", measured.swaps);
    let (median, p99) = (measured.first_message_median_us, measured.first_message_p99_us);
    table.add_row([header, number(median), number(p99), none()]);
    let live = "  until it is live".to_owned();
    table.add_row([live, number(measured.live_median_us), none(), none()]);
    for (what, taken, factor) in [
        ("a message, all plugins left alone", measured.quiet, 1.0),
        (
            "a message while one is swapped",
            measured.during,
            measured.p99_factor,
        ),
    ] {
        let (median, p99) = (number(taken.median_us), number(taken.p99_us));
        table.add_row([what.to_owned(), median, p99, format!("{factor:.2}")]);
    }
    table
}

fn thousand(measured: &thousand::Measured) -> Table {
    let mut table = plain(["many plugins", "shipped alone", "with 1 000 more", "ratio"]);
    let seconds = |time: f64| format!("{time:.2} s");
    let rows = [
        (
            "a start, nothing of them compiled",
            String::new(),
            seconds(measured.cold_start_s),
            String::new(),
        ),
        (
            "a start, everything compiled",
            seconds(measured.few_start_s),
            seconds(measured.warm_start_s),
            String::new(),
        ),
        (
            "memory that they take",
            String::new(),
            format!("{} MiB", measured.memory >> 20),
            String::new(),
        ),
        (
            "a message alone, microseconds",
            format!("{:.0}", measured.few_us),
            format!("{:.0}", measured.many_us),
            format!("{:.2}", measured.ratio),
        ),
    ];
    for (what, few, many, ratio) in rows {
        table.add_row([what.to_owned(), few, many, ratio]);
    }
    table
}

fn month_end(measured: &month_end::Measured) -> Table {
    let [before, most, after] = measured.memory_mib;
    let [first, last] = measured.others_done;
    let ms = |us: f64| format!("{:.1}", us / 1000.0);
    let rows = [
        ("messages", measured.messages.to_string()),
        (
            "accepted a second, in batches of 100",
            format!("{:.0}", measured.accepted_per_second),
        ),
        ("p99 of a batch, ms", ms(measured.accepted_p99_us)),
        ("worked off in, s", format!("{:.0}", measured.seconds)),
        ("rows a second", format!("{:.1}", measured.rows_per_second)),
        (
            "rows a call",
            measured
                .rows_per_call
                .map_or("-".to_owned(), |rows| format!("{rows:.1}")),
        ),
        (
            "rows a second of `load` alone",
            format!("{:.1}", measured.alone_rows_per_second),
        ),
        ("of that", format!("{:.2}", measured.share)),
        (
            "memory before, at most, after, MiB",
            format!("{before}, {most}, {after}"),
        ),
        (
            "ingress meanwhile, median and p99, ms",
            format!(
                "{}, {}",
                ms(measured.ingress_median_us),
                ms(measured.ingress_p99_us)
            ),
        ),
        (
            "an urgent change, median and p99, ms",
            format!(
                "{}, {}",
                ms(measured.urgent_median_us),
                ms(measured.urgent_p99_us)
            ),
        ),
        (
            "the first message of each region had ended at",
            format!("{:.3}", measured.first_done),
        ),
        (
            "the other regions were done at, of the time",
            format!("{first:.2} to {last:.2}"),
        ),
        (
            "keys of several messages in order",
            measured.keys_in_order.to_string(),
        ),
        (
            "the estimate at half of it, by what it took",
            format!("{:.2}", measured.estimate),
        ),
    ];
    let mut table = plain(["a month's end", ""]);
    for (what, value) in rows {
        table.add_row([what.to_owned(), value]);
    }
    table
}

fn row(what: &str, side: Side) -> [String; 9] {
    [
        what.to_owned(),
        format!("{:.1}", side.bare_us),
        format!("{:.1}", side.native_us),
        format!("{:.1}", side.sandboxed_us),
        format!("{:.1}", side.kept_us),
        format!("{:.2}", side.ratio),
        format!("{:.2}", side.kept_ratio),
        format!("{:.2}", side.bare_ratio),
        side.fuel.to_string(),
    ]
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
