//! d5: SQL over what was ingested, typed and read-only.

use anyhow::{Context, ensure};
use serde_json::json;

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const WORKERS: &str = "id,name,city,wage\n1,Alice,Toledo,21.5\n2,Bob,Lima,19.25\n3,Cy,Toledo,30\n";
const CITIES: &str = "city,state\nToledo,OH\nLima,OH\n";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=workers", WORKERS).await?.expect(200)?;
    probe.ingest("name=cities", CITIES).await?.expect(200)?;
    answers(&probe).await?;
    refuses(&probe).await?;
    travels(&probe).await?;
    stack.stop().await
}

async fn answers(probe: &Probe) -> anyhow::Result<()> {
    let sql = "SELECT c.state, COUNT(*) AS heads, AVG(w.wage) AS mean FROM workers w JOIN cities c ON w.city = c.city \
               WHERE w.city = 'Toledo' GROUP BY c.state";
    let answer = probe.sql(sql).await?.expect(200)?.json()?;
    let columns = json!([
        { "name": "state", "type": "VARCHAR" },
        { "name": "heads", "type": "BIGINT" },
        { "name": "mean", "type": "DOUBLE" },
    ]);
    ensure!(answer["columns"] == columns, "the columns are {}", answer["columns"]);
    ensure!(answer["rows"] == json!([["OH", 2, 25.75]]) && answer["row_count"] == 1, "the answer is {answer}");
    Ok(())
}

async fn refuses(probe: &Probe) -> anyhow::Result<()> {
    let cases = [
        ("", 400),
        ("SELEC 1", 400),
        ("SELECT * FROM nowhere", 400),
        ("DROP TABLE workers", 403),
        ("COPY workers TO '/tmp/x.csv'", 403),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", 403),
    ];
    for (sql, status) in cases {
        probe.sql(sql).await?.expect(status).with_context(|| format!("sql {sql:?}"))?;
    }
    Ok(())
}

/// A replaced table still answers as of the version before.
async fn travels(probe: &Probe) -> anyhow::Result<()> {
    let count = "SELECT COUNT(*) FROM workers";
    let before = probe.sql(count).await?.expect(200)?.json()?;
    probe.ingest("name=workers", "id,name,city,wage\n9,Zoe,Lima,40\n").await?.expect(200)?;
    let now = probe.sql(count).await?.expect(200)?.json()?;
    ensure!(now["rows"] == json!([[1]]), "after a replacement: {now}");
    let ask = json!({ "sql": count, "as_of": before["version"] });
    let then = probe.post("/v1/sql", &ask).await?.expect(200)?.json()?;
    ensure!(then["rows"] == json!([[3]]), "as of {}: {then}", before["version"]);
    Ok(())
}
