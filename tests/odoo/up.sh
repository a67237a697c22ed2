#!/usr/bin/env bash
# A real Odoo 19 Community for tests: fetched, seeded and started, without Docker and without systemd.
#
#   up.sh [up]      everything that is missing, then a running server; prints the path of an env file
#   up.sh clone DB  a fresh database DB, copied from the seeded template in about a second; prints its env file
#   up.sh down      stops Odoo and its PostgreSQL
#   up.sh status    says what runs
#
# Exit codes: 0 done; 1 something failed (the last lines of its log are shown); 2 wrong use; 3 this machine cannot have
# the Odoo package, so tests that need it are to be skipped, loudly. README.md beside this file says what is in it.
#
# How it is built: PostgreSQL (Debian's, own cluster) and Odoo (Debian's package, unpacked into a folder, its Python
# packages in a virtual environment beside it) live under one home folder and touch nothing else. Three databases are
# made one from the other: `cambist_base` has the modules, `cambist_template` has companies, user and keys on top, and
# every database that tests use is a copy of that. A changed seed.py therefore costs half a minute, not three.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CAMBIST_ODOO_HOME:-/var/tmp/cambist-odoo-19}  # all state; safe to delete when the server is down
database=${CAMBIST_ODOO_DB:-cambist}                 # the database that `up` makes
port=${CAMBIST_ODOO_PORT:-18069}                     # Odoo listens on 127.0.0.1:$port
pg_port=${CAMBIST_ODOO_PG_PORT:-54329}               # and its PostgreSQL on 127.0.0.1:$pg_port
suite=${CAMBIST_ODOO_SUITE:-sid}                     # Debian's suite that carries the package: only the development one
mirror=${CAMBIST_ODOO_MIRROR:-}                      # a Debian mirror; by default the one this machine uses

package=odoo-19
# What the web client's links point to in a full installation; without them its pages answer 500.
web_packages=(libjs-jquery libjs-jquery-form libjs-underscore fonts-font-awesome)
# Applications first, then the charts of accounts of the seeded companies.
modules=base,web,rpc,api_doc,base_import,contacts,crm,sale_management,sale_crm,project,sale_project,account
modules+=,hr_timesheet,sale_timesheet,base_automation,base_vat
modules+=,l10n_de,l10n_fr_account,l10n_in,l10n_us,l10n_us_account

base_db=cambist_base
template_db=cambist_template
site=$home/root/usr/lib/python3/dist-packages

# ---------------------------------------------------------------------------------------------------------------- words

started=$SECONDS
say() { printf 'odoo: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
# The one way to exit 3: the reason, and what would help.
cannot() {
  say "this machine cannot have a real Odoo 19: $1"
  say "what helps: $2"
  exit 3
}
# Says what is done and how long that takes on two busy cores, then how long it took.
step() {
  local what=$1 usually=$2 from=$SECONDS
  shift 2
  say "$what (usually $usually) ..."
  "$@"
  say "$what: done in $((SECONDS - from)) s"
}
with_log() { # with_log FILE COMMAND...: its output goes to the file; on failure the file's end is shown
  local log=$1
  shift
  "$@" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    fail "failed; the whole log is $log"
  }
}
alive() { [ -s "$1" ] && kill -0 "$(head -n 1 "$1")" 2>/dev/null; } # alive PIDFILE

# --------------------------------------------------------------------------------------------------- what must be there

pg_bin() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1; }
python_fits() { python3 -c 'import sys, venv, ensurepip; sys.exit(not (3,10) <= sys.version_info[:2] <= (3,13))' 2>/dev/null; }

# Debian packages that this machine lacks: installed when we are root, asked for when we are not.
machine_packages() {
  # shellcheck disable=SC2015 # it is to run when either is missing
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    cannot "it is no Debian" "run the tests on Debian 12 or newer, for instance in a container"
  local missing=()
  [ -n "$(pg_bin)" ] || missing+=(postgresql)
  python_fits || missing+=(python3 python3-venv)
  command -v curl >/dev/null || missing+=(curl)
  command -v flock >/dev/null || missing+=(util-linux)
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || cannot "it lacks ${missing[*]}" "apt-get install ${missing[*]}"
  # Debian would make and start a cluster of its own with the package; ours is enough.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 ||
    cannot "apt-get could not install ${missing[*]}" "install them by hand"
  python_fits || cannot "its Python is not 3.10 to 3.13 with venv" "install python3 and python3-venv of Debian 12 or 13"
}

# ------------------------------------------------------------------------------------------------------- Odoo, unpacked

# apt with its own lists and sources, so that the machine's apt is neither asked nor changed. It checks the suite's
# signature; we compare each file's SHA-256 with the signed index once more before unpacking.
own_apt() { APT_CONFIG=$home/apt/apt.conf "$@"; }

prepare_apt() {
  local release
  if [ -z "$mirror" ]; then
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mirror=$(apt-get indextargets --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" 2>/dev/null |
      awk -v release="$release" '$1 == release && $2 == "main" { print $3; exit }')
  fi
  [ -n "$mirror" ] || cannot "no Debian mirror is set up in apt" "set CAMBIST_ODOO_MIRROR to one"
  mkdir -p "$home/apt/state/lists/partial" "$home/apt/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$home/apt/sources.list"
  cat >"$home/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$home/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$home/apt/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$home/apt/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
APT::Sandbox::User "root";
CONF
}

download_odoo() {
  prepare_apt
  own_apt apt-get update -qq >&2 || cannot "no package lists of Debian $suite from $mirror" "check the network, or set CAMBIST_ODOO_MIRROR"
  own_apt apt-cache show "$package" >/dev/null 2>&1 ||
    cannot "Debian $suite has no package $package; it has: $(own_apt apt-cache pkgnames odoo | tr '\n' ' ')" "set CAMBIST_ODOO_SUITE to a suite that has it"
  rm -rf "$home/root" "$home/download"
  mkdir -p "$home/root" "$home/download"
  (cd "$home/download" && own_apt apt-get download -qq "$package" "${web_packages[@]}" >&2) ||
    cannot "the packages could not be downloaded from $mirror" "check the network, or set CAMBIST_ODOO_MIRROR"
  local name sum file
  for name in "$package" "${web_packages[@]}"; do
    sum=$(own_apt apt-cache show --no-all-versions "$name" | awk '$1 == "SHA256:" { print $2; exit }')
    file=$(find "$home/download" -name "${name}_*.deb" | head -n 1)
    echo "$sum  $file" | sha256sum --check --quiet || fail "$file has not the digest of the signed index; run again"
    # Translations are 0.9 of 1.2 GB, and no test reads them.
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$home/root" --exclude='*/i18n/*.po' --exclude='*/i18n/*.pot'
  done
  own_apt apt-cache show --no-all-versions "$package" | awk '$1 == "Version:" { print $2; exit }' >"$home/root/.version"
  rm -rf "$home/download"
}

wanted_venv() { sha256sum <"$here/requirements.txt"; }
install_python_packages() {
  stop_server # it would import from a folder that is being replaced
  rm -rf "$home/venv"
  python3 -m venv "$home/venv"
  with_log "$home/run/pip.log" "$home/venv/bin/pip" install --disable-pip-version-check \
    --only-binary :all: --no-binary docopt -r "$here/requirements.txt"
  wanted_venv >"$home/venv/.wanted"
}

# ----------------------------------------------------------------------------------------------------------- PostgreSQL

# PostgreSQL refuses to run as root; Debian's package brings the user `postgres` for it.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
# Our own cluster listens on loopback alone and trusts it: it holds nothing but made-up companies.
sql() { psql -qAt -h 127.0.0.1 -p "$pg_port" -U odoo -d postgres -c "$1"; }
pg() { local tool=$1; shift; "$tool" -h 127.0.0.1 -p "$pg_port" -U odoo --maintenance-db=postgres "$@"; }

make_cluster() {
  if [ "$(id -u)" = 0 ]; then
    install -d -m 700 -o postgres "$home/pg"
    install -d -o postgres "$home/pg-run"
  else
    # shellcheck disable=SC2174 # the home is there; these two are the deepest
    mkdir -p -m 700 "$home/pg" "$home/pg-run"
  fi
  as_postgres "$(pg_bin)/initdb" -D "$home/pg" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  # Tests throw their databases away, so nothing is worth waiting for the disk.
  cat >>"$home/pg/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home/pg-run'
max_connections = 120
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
}

start_postgres() {
  [ -s "$home/pg/PG_VERSION" ] || make_cluster
  if ! alive "$home/pg/postmaster.pid"; then
    as_postgres "$(pg_bin)/pg_ctl" -D "$home/pg" -o "-p $pg_port" -l "$home/pg-run/log" -w start >/dev/null 9>&- ||
      fail "PostgreSQL did not start; see $home/pg-run/log (is port $pg_port taken? set CAMBIST_ODOO_PG_PORT)"
  fi
  # Odoo refuses to work as the superuser `postgres`.
  psql -qAt -h 127.0.0.1 -p "$pg_port" -U postgres -d postgres \
    -c "select 1 from pg_roles where rolname = 'odoo'" | grep -q 1 ||
    psql -q -h 127.0.0.1 -p "$pg_port" -U postgres -d postgres -c 'create role odoo login createdb'
}

has_database() { [ "$(sql "select 1 from pg_database where datname = '$1'")" = 1 ]; }

# copy_database FROM TO: the database and Odoo's folder of attachments for it. PostgreSQL copies a database only while
# nobody is connected to it, hence the first statement; nobody works in a template on purpose.
copy_database() {
  sql "select pg_terminate_backend(pid) from pg_stat_activity where datname in ('$1', '$2') and pid <> pg_backend_pid()" >/dev/null
  pg dropdb --if-exists --force "$2" 2>/dev/null
  pg createdb -T "$1" "$2"
  rm -rf "$home/data/filestore/$2"
  mkdir -p "$home/data/filestore"
  [ ! -e "$home/data/filestore/$1" ] || cp -a "$home/data/filestore/$1" "$home/data/filestore/$2"
}

# ----------------------------------------------------------------------------------------------------------------- Odoo

write_config() {
  cat >"$home/odoo.conf" <<CONF
[options]
addons_path = $site/odoo/addons
data_dir = $home/data
db_host = 127.0.0.1
db_port = $pg_port
db_user = odoo
db_password = odoo
http_interface = 127.0.0.1
http_port = $port
gevent_port = $((port + 3))
# A request names its database in a header; the two that others are copied from cannot be named.
list_db = False
dbfilter = ^(?!($base_db|$template_db)\$)
# Threads in one process; no scheduled jobs, which would call out and write at times of their own.
workers = 0
max_cron_threads = 0
server_wide_modules = base,rpc,web
limit_time_cpu = 600
limit_time_real = 1200
CONF
}

# Odoo's command line, and what its environment needs:
# - it is started through its own script: `python -m odoo` loses its package when it starts helper processes;
# - PGDATABASE would be taken for `-d`, and the others for the place of the database;
# - proxies point to a closed port of loopback, which ends every call to the outside (partner autocompletion, credits,
#   publisher's warranty) at once, while calls to loopback, webhooks above all, stay direct.
odoo_command=("$home/venv/bin/python" "$home/root/usr/bin/odoo")
# shellcheck disable=SC2054 # commas belong to the value
odoo_env=(-u PGDATABASE -u PGHOST -u PGPORT -u PGUSER -u PYTHONDONTWRITEBYTECODE "PYTHONPATH=$site"
  http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 no_proxy=127.0.0.1,localhost,::1)
odoo() { env "${odoo_env[@]}" "${odoo_command[@]}" "$@" 9>&-; }

wanted_base() { { echo "$modules"; cat "$home/root/.version"; } | sha256sum; }
make_base() {
  rm -f "$home/run/base.made" "$home/run/template.made"
  pg dropdb --if-exists --force "$base_db" 2>/dev/null
  rm -rf "$home/data/filestore/$base_db"
  # No demo data is Odoo 19's default; no automatic modules halves the time.
  with_log "$home/run/base.log" odoo server -c "$home/odoo.conf" -d "$base_db" --skip-auto-install -i "$modules" \
    --stop-after-init --no-http
  wanted_base >"$home/run/base.made"
}

wanted_template() { cat "$home/run/base.made" "$here/seed.py" | sha256sum; }
make_template() {
  rm -f "$home/run/template.made"
  copy_database "$base_db" "$template_db"
  CAMBIST_SEED_ENV=$home/seed.env with_log "$home/run/template.log" \
    odoo shell -c "$home/odoo.conf" -d "$template_db" --no-http <"$here/seed.py"
  # `odoo shell` ends with 0 even after an error; the seed's own last word does not lie.
  grep -q '^seeded$' "$home/run/template.log" || {
    tail -n 30 "$home/run/template.log" >&2
    fail "the seed failed; the whole log is $home/run/template.log"
  }
  wanted_template >"$home/run/template.made"
}

start_server() {
  # In the background and in a session of its own, so that it outlives the terminal. Descriptor 9 is the lock: whoever
  # stays must not keep it.
  (cd / && exec setsid env "${odoo_env[@]}" "${odoo_command[@]}" server -c "$home/odoo.conf" --pidfile="$home/run/odoo.pid") \
    >>"$home/run/odoo.log" 2>&1 </dev/null 9>&- &
  local _
  for _ in $(seq 300); do
    ! curl -fs -o /dev/null -m 2 "http://127.0.0.1:$port/web/health" || return 0
    sleep 0.2
  done
  tail -n 30 "$home/run/odoo.log" >&2
  fail "Odoo did not answer within a minute (is port $port taken? set CAMBIST_ODOO_PORT)"
}

stop_server() {
  ! alive "$home/run/odoo.pid" || kill "$(cat "$home/run/odoo.pid")"
  while alive "$home/run/odoo.pid"; do sleep 0.2; done
}

# write_env DB: what a test needs to know to use the database, as an env file; prints its path. The keys in it open made-up
# companies on loopback and nothing else; the file is for its owner alone all the same.
write_env() {
  local file=$home/env.$1
  (
    umask 077
    {
      cat "$home/seed.env"
      echo "CAMBIST_ODOO_URL=http://127.0.0.1:$port"
      echo "CAMBIST_ODOO_DB=$1"
      echo "CAMBIST_ODOO_SQL=postgresql://odoo@127.0.0.1:$pg_port/$1"
      echo "CAMBIST_ODOO_VERSION=$(cat "$home/root/.version")"
    } >"$file.new"
  )
  mv "$file.new" "$file"
  echo "$file"
}

# Odoo loads a database's models with the first request to it, two to four seconds; better here than in a test's time-out.
first_request() {
  # shellcheck source=/dev/null
  (. "$home/seed.env" && curl -fsS -o /dev/null -m 120 "http://127.0.0.1:$port/json/2/res.company/search_count" \
    -H "Authorization: bearer $CAMBIST_ODOO_KEY" -H "X-Odoo-Database: $1" -H 'Content-Type: application/json' -d '{"domain":[]}') ||
    fail "Odoo does not answer for the database $1; see $home/run/odoo.log"
}

# ------------------------------------------------------------------------------------------------------------- commands

is_made() { [ "$("wanted_$1" 2>/dev/null)" = "$(cat "$home/run/$1.made" 2>/dev/null)" ] && has_database "cambist_$1"; }

up() {
  machine_packages
  [ -s "$home/root/.version" ] || step "download Odoo, 145 MB, and unpack it" "40 s" download_odoo
  [ "$(cat "$home/venv/.wanted" 2>/dev/null)" = "$(wanted_venv)" ] || step "install its Python packages, 56 MB" "45 s" install_python_packages
  write_config
  start_postgres
  is_made base || step "make a database with its modules" "2 min" make_base
  if ! is_made template; then
    step "seed companies, charts of accounts, user and keys" "1 min" make_template
    pg dropdb --if-exists --force "$database" 2>/dev/null # made from an older seed
  fi
  alive "$home/run/odoo.pid" || step "start the server" "4 s" start_server
  has_database "$database" || step "copy the template to $database" "1 s" copy_database "$template_db" "$database"
  first_request "$database"
  say "Odoo $(cat "$home/root/.version") answers at http://127.0.0.1:$port, database $database ($((SECONDS - started)) s)"
  write_env "$database"
}

clone() {
  [[ $1 =~ ^[a-z][a-z0-9_]{0,50}$ ]] || { say "\`$1\` is no database name: small letters, digits and _, a letter first"; exit 2; }
  [ "$1" != "$base_db" ] && [ "$1" != "$template_db" ] || { say "$1 is what databases are copied from; choose another name"; exit 2; }
  alive "$home/run/odoo.pid" || fail "Odoo does not run; start it with: $0 up"
  copy_database "$template_db" "$1"
  first_request "$1"
  write_env "$1"
}

down() {
  stop_server
  if alive "$home/pg/postmaster.pid"; then as_postgres "$(pg_bin)/pg_ctl" -D "$home/pg" -m fast -w stop >/dev/null; fi
  say "stopped"
}

status() {
  if alive "$home/run/odoo.pid"; then say "Odoo runs at http://127.0.0.1:$port, pid $(cat "$home/run/odoo.pid")"; else say "Odoo is down"; fi
  if alive "$home/pg/postmaster.pid"; then
    say "PostgreSQL runs at 127.0.0.1:$pg_port, pid $(head -n 1 "$home/pg/postmaster.pid")"
    say "databases: $(sql "select string_agg(datname, ' ' order by datname) from pg_database where not datistemplate and datname <> 'postgres'")"
  else
    say "PostgreSQL is down"
  fi
}

cd /
mkdir -p "$home/run"
chmod 755 "$home"
# One at a time: two test runs may ask for Odoo at the same moment, and the second finds everything done.
if command -v flock >/dev/null; then
  exec 9>"$home/run/lock"
  flock 9
fi
case ${1:-up} in
  up) up ;;
  clone) [ $# -eq 2 ] || { say "usage: $0 clone DB"; exit 2; }; clone "$2" ;;
  down) down ;;
  status) status ;;
  *) say "usage: $0 [up | clone DB | down | status]"; exit 2 ;;
esac
