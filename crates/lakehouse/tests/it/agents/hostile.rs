//! Hostile SQL, asked by agents: nothing is written, no file and no address but the lake's is opened, nobody dies, every
//! question is answered, and others are served meanwhile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail, ensure};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::Site;

use super::talk::{calling, text};
use crate::command::{BINARY, Desk};
use crate::soak::figure;

const TEXTS: &str = include_str!("../../../../../testdata/hostile/sql.ndjson");
/// How many agents ask at once.
const AGENTS: usize = 4;
/// What a call may take by the door's own word, and what an answer may take on its way on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30 + 30);
/// What the statements that must not be understood may be refused as.
const REFUSED: [&str; 4] = ["query.read_only", "query.invalid_sql", "query.unsupported", "query.too_complex"];
/// What those may end as that only read, but without end or measure.
const EXHAUSTED: [&str; 8] = [
    "query.timeout",
    "query.memory_limit",
    "query.answer_too_large",
    "query.failed",
    "query.overflow",
    "query.invalid_params",
    "query.invalid_search",
    "catalog.tag_not_found",
];
/// Kinds of which some only read, in a way that is meant to hurt.
const READING: [&str; 5] = ["comments", "literals of 1 MB", "cross joins", "endless recursion", "odd texts"];

/// One text: what it tries, and its pieces with how often each is repeated.
#[derive(Deserialize)]
struct Hostile {
    kind: String,
    sql: Vec<(String, usize)>,
}

impl Hostile {
    fn text(&self) -> String {
        self.sql.iter().map(|(piece, times)| piece.repeat(*times)).collect()
    }

    /// The text for people.
    fn shown(&self) -> String {
        format!("{}: {}", self.kind, self.text().chars().take(100).collect::<String>())
    }

    /// Whether this may be what became of it: the code of a refusal, none for an answer.
    fn may_end_as(&self, code: Option<&str>) -> bool {
        let reads = READING.contains(&self.kind.as_str());
        match code {
            None => reads,
            Some(code) => REFUSED.contains(&code) || (EXHAUSTED.contains(&code) && (reads || is_deep(&self.kind))),
        }
    }
}

fn is_deep(kind: &str) -> bool {
    kind.starts_with("nesting")
}

fn texts() -> anyhow::Result<Vec<Hostile>> {
    TEXTS.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// A lake with a table that is worth stealing, and large enough to be multiplied.
fn desk() -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    let rows: String = (0..3000).map(|id| format!("{id},name {id},Toledo\n")).collect();
    desk.write("workers.csv", format!("id,name,city\n{rows}"))?;
    desk.run(&["ingest", "workers", "workers.csv"])?.ended(0)?;
    Ok(desk)
}

/// The program under strace, and what it writes down; the program alone where there is no strace, which is said aloud.
fn traced(desk: &Desk) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    if !Path::new("/usr/bin/strace").exists() {
        testkit::skip("agents::hostile, what the process opens", "there is no /usr/bin/strace");
        return Ok((BINARY.into(), None));
    }
    let (script, program) = (desk.path().join("traced"), desk.path().join("lakehouse"));
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/agents/traced.sh"), &script)?;
    std::os::unix::fs::symlink(BINARY, program)?;
    Ok((script, Some(desk.path().join("trace"))))
}

/// Calls `query_sql` as an agent does: the result.
async fn ask(probe: &Probe, sql: &str) -> anyhow::Result<Value> {
    let params = calling("query_sql", &json!({ "sql": sql }));
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    let reply = probe.send(Method::POST, "/mcp", &headers, call.to_string().into());
    let reply = tokio::time::timeout(DEADLINE, reply).await.context("there was no answer in time")??;
    Ok(reply.expect(200)?.json()?["result"].take())
}

/// Asks one text, and meanwhile for the server's health: how long that took.
async fn hold(probe: &Probe, hostile: &Hostile) -> anyhow::Result<Duration> {
    let sql = hostile.text();
    let health = async {
        let began = Instant::now();
        probe.get("/health").await?.expect(200)?;
        anyhow::Ok(began.elapsed())
    };
    let (result, health) = tokio::join!(ask(probe, &sql), health);
    let result = result?;
    let refused = (result["isError"] == true).then(|| text(&result).lines().next().unwrap_or_default());
    ensure!(hostile.may_end_as(refused), "it ended as {refused:?}: {}", text(&result));
    health
}

/// Asks every text, some at once; how long the healths took, the longest last.
async fn hold_all(probe: &Probe, texts: &[Hostile]) -> anyhow::Result<Vec<Duration>> {
    let next = AtomicUsize::new(0);
    let agent = async || {
        let mut took = Vec::new();
        while let Some(hostile) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
            took.push(hold(probe, hostile).await.with_context(|| hostile.shown())?);
        }
        anyhow::Ok(took)
    };
    let agents = futures::future::try_join_all((0..AGENTS).map(|_| agent())).await?;
    let mut took: Vec<Duration> = agents.into_iter().flatten().collect();
    took.sort_unstable();
    Ok(took)
}

/// Every file below a directory with its length and its last change.
fn files(directory: &Path) -> anyhow::Result<BTreeMap<PathBuf, (u64, SystemTime)>> {
    let mut found = BTreeMap::new();
    for entry in directory.read_dir()? {
        let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        if metadata.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert(path, (metadata.len(), metadata.modified()?));
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_sql_reads_the_lake_and_touches_nothing_else() -> anyhow::Result<()> {
    let (desk, texts) = (desk()?, texts()?);
    ensure!(texts.len() >= 500, "only {} texts", texts.len());
    let (program, trace) = traced(&desk)?;
    let (lake, spill) = (desk.path().join("lake"), desk.path().join("spill"));
    let site = Site::holding(program, lake.display().to_string())?;
    let spills = format!("queryd.spill_dir={}", spill.display());
    let stack = site.start(&["queryd.timeout=1s", "queryd.memory_limit=128MiB", &spills]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    // What a process reads once, such as how many cores there are, it has read after this.
    ask(&probe, "SELECT a.name, count(*) FROM workers a JOIN workers b ON a.id = b.id GROUP BY a.name ORDER BY 1")
        .await?;
    let (process, before) = (stack.id()?, files(&lake)?);
    let seen = trace.as_deref().map(length).transpose()?.unwrap_or_default();

    let took = hold_all(&probe, &texts).await?;

    ensure!(stack.id()? == process && before == files(&lake)?, "the lake is not what it was");
    let count = probe.sql("SELECT count(*) FROM workers").await?.expect(200)?.json()?;
    ensure!((&count["rows"], &count["version"]) == (&json!([[3000]]), &json!(1)), "{count}");
    if let Some(trace) = &trace {
        expect_only(&calls(trace, seen)?, &lake, &spill)?;
    }
    let (last, all) = (took.last().context("no health")?, took.len());
    let most = took.get(all * 99 / 100).unwrap_or(last);
    figure(&format!("hostile: {all} texts; health meanwhile within {most:?} (99 %), {last:?} (all)"))?;
    stack.stop().await
}

fn length(file: &Path) -> anyhow::Result<usize> {
    Ok(usize::try_from(file.metadata()?.len())?)
}

/// What was written down from there on.
#[expect(clippy::disallowed_methods, reason = "a test reads what another program has written")]
fn calls(trace: &Path, from: usize) -> anyhow::Result<String> {
    let all = std::fs::read(trace)?;
    Ok(String::from_utf8_lossy(all.get(from..).context("the trace became shorter")?).into_owned())
}

/// Files of the lake are read, those of the spill directory are the query's own, and the kernel says what the machine is.
fn expect_only(trace: &str, lake: &Path, spill: &Path) -> anyhow::Result<()> {
    let mut of_the_lake = 0;
    for line in trace.lines() {
        let Some((name, arguments)) = call(line) else { continue };
        let Some(path) = path(arguments) else { bail!("it reached out: {line}") };
        let opens = ["openat", "open", "openat2"].contains(&name);
        let looks =
            ["stat", "lstat", "newfstatat", "statx", "access", "faccessat2", "readlink", "readlinkat"].contains(&name);
        let reads = looks || (opens && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|way| arguments.contains(way)));
        of_the_lake += usize::from(path.starts_with(lake));
        let allowed = path.starts_with(spill)
            || (reads
                && (path.starts_with(lake) || path.starts_with("/proc/self") || path.starts_with("/sys/fs/cgroup")));
        ensure!(allowed, "it touched {}: {line}", path.display());
    }
    ensure!(of_the_lake > 0, "nothing was traced");
    Ok(())
}

/// The name of a system call and its arguments; none for the second half of one that was interrupted.
fn call(line: &str) -> Option<(&str, &str)> {
    let (_, call) = line.split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some((name, arguments))
}

/// The path that a call names: a relative one from the directory that stands before it.
fn path(arguments: &str) -> Option<PathBuf> {
    let named = arguments.split('"').nth(1)?;
    let directory = arguments.split('"').next()?.split('<').nth(1).and_then(|rest| rest.split('>').next());
    Some(Path::new(directory.unwrap_or_default()).join(named))
}
