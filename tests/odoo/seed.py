"""What every test database starts with; run once, by up.sh, inside `odoo shell` (which provides `env`).

- Four companies, each with the chart of accounts that Odoo ships for its country, so that Odoo's own taxes, fiscal
  positions and roundings can be compared with ours: US (the default company), DE, FR, IN.
- The moneys they deal in, with a price list for each: the price list is what decides an order's currency.
- One integration user with as few rights as the work allows, and an API key for it; another key for the administrator,
  for tests that look behind the scenes.

Nothing here is a real firm. The tax numbers are well formed, as Odoo checks them.
The names and keys are written to the file that CAMBIST_SEED_ENV names, as an env file.
"""

import os

CURRENCIES = ('USD', 'EUR', 'INR', 'GBP', 'CHF')

# What the integration user may do, and why it must.
RIGHTS = (
    'base.group_user',                          # log in, read
    'base.group_partner_manager',               # write customers and their contacts
    'sales_team.group_sale_salesman_all_leads', # write and confirm orders, whoever's they are; read taxes
    'product.group_product_manager',            # write the services that are sold
    'project.group_project_manager',            # write projects and milestones
    'account.group_account_readonly',           # read a customer's credit limit, which Odoo copies to its contacts
)
LOGIN = 'integration@example.com'


def company(name, country, currency, chart, **values):
    """Makes a company, or shapes the one there is, and loads its chart of accounts."""
    values |= {'name': name, 'country_id': env.ref(f'base.{country}').id, 'currency_id': env.ref(f'base.{currency}').id}
    found = values.pop('found', None)
    if found:
        found.write(values)
    else:
        # `install_mode` keeps Odoo from installing whatever else it knows about the country (Peppol registration and
        # the like), which would take longer than all the rest.
        found = env['res.company'].with_context(install_mode=True).create(values).with_context(install_mode=False)
    env['account.chart.template'].try_loading(chart, company=found, install_demo=False)
    return found


for code in CURRENCIES:
    env.ref(f'base.{code}').active = True

us = company('Sample Inc', 'us', 'USD', 'generic_coa', found=env.ref('base.main_company'),
             street='1 Main Street', city='Springfield', zip='62701', state_id=env.ref('base.state_us_14').id)
de = company('Muster GmbH', 'de', 'EUR', 'de_skr03',
             street='Beispielweg 1', city='München', zip='80331', vat='DE136695976')
fr = company('Exemple SARL', 'fr', 'EUR', 'fr',
             street='1 rue de l’Exemple', city='Lyon', zip='69001', vat='FR23334175221')
india = company('Bharat Pvt Ltd', 'in', 'INR', 'in',
                street='1 Udaharan Marg', city='Ahmedabad', zip='380001', vat='24AAGCC7144L6ZD',
                state_id=env.ref('base.state_in_gj').id)
companies = {'US': us, 'DE': de, 'FR': fr, 'IN': india}
every = [(6, 0, [each.id for each in companies.values()])]

# A price list for each money, shared by the companies, under a name that a mapping's settings can give:
# `testbed.pricelist_eur`. Behind the companies' own in order, so that it is never anybody's default.
for code in CURRENCIES:
    pricelist = env['product.pricelist'].create({
        'name': f'Test bed {code}', 'currency_id': env.ref(f'base.{code}').id, 'company_id': False, 'sequence': 900})
    env['ir.model.data'].create({
        'module': 'testbed', 'name': f'pricelist_{code.lower()}', 'model': pricelist._name, 'res_id': pricelist.id})

# Milestones are a feature that is switched on for everybody or nobody.
env.ref('base.group_user')._apply_group(env.ref('project.group_project_milestone'))

user = env['res.users'].with_context(no_reset_password=True).create({
    'name': 'Integration', 'login': LOGIN, 'company_id': us.id, 'company_ids': every, 'lang': 'en_US', 'tz': 'UTC',
    'group_ids': [(6, 0, [env.ref(right).id for right in RIGHTS])]})
admin = env.ref('base.user_admin')
admin.write({'company_ids': every})


def api_key(owner):
    """A key for any call, without an end; as superuser, because only administrators may have one that lasts."""
    return env['res.users.apikeys'].with_user(owner).sudo()._generate(None, 'test bed', None)


facts = {'CAMBIST_ODOO_LOGIN': LOGIN, 'CAMBIST_ODOO_KEY': api_key(user), 'CAMBIST_ODOO_ADMIN_KEY': api_key(admin)}
facts |= {f'CAMBIST_ODOO_COMPANY_{code}': each.id for code, each in companies.items()}
env.cr.commit()
with open(os.open(os.environ['CAMBIST_SEED_ENV'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
    file.writelines(f'{name}={value}\n' for name, value in facts.items())
print('seeded')
