//! Every store passes the suite.

use cambist_journal::{JournalError, conformance, for_each_case, store::SqliteJournal};

macro_rules! sqlite {
    ($group:ident, $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() -> anyhow::Result<()> {
            let dir = tempfile::tempdir()?;
            let path = dir.path().join("journal.db");
            let open = async || -> Result<SqliteJournal, JournalError> { SqliteJournal::open(&path) };
            Ok(conformance::$group::$case(open).await?)
        }
    };
}

for_each_case!(sqlite);
