//! `lakehouse doctor`: what is wrong here, why it matters, and what mends it.

use std::process::ExitCode;

use api::Role;
use base::Seams;
use doctor::{CHECKS, Finding, Report, Status, Subject, examine, machine, mend};
use models::Routing;

use crate::cli::Doctor;
use crate::config::{Faults, Settled, Sources, secrets, settle};
use crate::output::{Output, Sheet};

/// Looks at everything; the exit code is 1 when something must be mended.
pub async fn run(doctor: &Doctor, sources: &Sources, output: Output) -> anyhow::Result<ExitCode> {
    let sources = Sources { lake: doctor.lake.clone(), ..sources.clone() };
    let own = own_secrets(&sources);
    let checks: Vec<Finding> = match settle(&sources) {
        Ok(settled) => [right(&settled), own].into_iter().chain(examine(&subject(&settled)?).await).collect(),
        Err(faults) => unsettled(&faults, own).await,
    };
    let report = Report::from(checks);
    match output.form() {
        None => tell(&report, output)?,
        Some(_) => output.rows(&report, || sheet(&report))?,
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn right(settled: &Settled) -> Finding {
    Finding::ok("config", format!("{} settings are written, and all are right", settled.written()))
}

/// Without settings only what needs none can be looked at.
async fn unsettled(faults: &Faults, own: Finding) -> Vec<Finding> {
    let why = "no command works with wrong settings; `lakehouse config check` tells these alone";
    let wrong = Finding::failed("config", faults.to_string(), why);
    let toolchain = machine::toolchain().await;
    let others = CHECKS.into_iter().filter(|name| *name != toolchain.name);
    let unseen = others.map(|name| Finding::skipped(name, "the settings are wrong")).collect::<Vec<_>>();
    [wrong, own, toolchain].into_iter().chain(unseen).collect()
}

fn own_secrets(sources: &Sources) -> Finding {
    const NAME: &str = "secrets";
    let (path, mode) = secrets::found(sources.environment.get("LAKEHOUSE_SECRETS"));
    let path = path.display();
    match mode {
        None => Finding::skipped(NAME, format!("there is no {path}")),
        Some(mode) if secrets::is_open(mode) => {
            let detail = format!("{path} has mode {:04o}: every user of this machine may use it", mode & 0o7777);
            let fix = format!("chmod o= {}", mend::word(path));
            Finding::failed(NAME, detail, "whoever reads a token may do what it allows").mended_by(fix)
        }
        Some(mode) => Finding::ok(NAME, format!("{path} has mode {:04o}", mode & 0o7777)),
    }
}

fn subject(settled: &Settled) -> anyhow::Result<Subject> {
    let config = &settled.config;
    let embedd = &config.embedd.settings;
    let named = ["embedd.provider_url", "models.providers.ollama"].into_iter().any(|key| settled.is_written(key));
    Ok(Subject {
        lake: config.lake.location.parse()?,
        storage: config.storage(),
        catalog: config.catalogd.settings.clone(),
        query: config.queryd.settings.clone(),
        roster: config.validatord.settings.roster.parse()?,
        models: config.models.clone(),
        routing: Routing {
            default_model: embedd.default_model.clone(),
            ollama_url: embedd.provider_url.clone(),
            upstream: None,
        },
        uses_ollama: named || embedd.default_model.starts_with("ollama/"),
        ports: Role::ALL.into_iter().map(|role| (role.name(), config.bind(role))).collect(),
        cache: config.cache_dir(),
        seams: Seams::system(),
    })
}

/// A line for each check; below it what to do.
fn tell(report: &Report, output: Output) -> anyhow::Result<()> {
    for Finding { name, status, detail, why, fix } in &report.checks {
        let status = format!("{status:8}", status = status.to_string());
        let status = if status.trim() == "failed" { output.bold(&status) } else { status };
        output.line(format!("{status} {name:16} {}", detail.replace('\n', "; ")))?;
        why.iter().try_for_each(|why| output.line(format!("{:25} why: {why}", "")))?;
        fix.iter().try_for_each(|fix| output.line(format!("{:25} mend: {fix}", "")))?;
    }
    let failed = report.checks.iter().filter(|check| check.status == Status::Failed).count();
    Ok(output.line(match failed {
        0 => "all is well".to_owned(),
        count => format!("{count} of {} checks failed", report.checks.len()),
    })?)
}

fn sheet(report: &Report) -> Sheet {
    let header = ["name", "status", "detail", "why", "fix"].map(str::to_owned).to_vec();
    let row = |check: &Finding| {
        let why = check.why.unwrap_or_default().to_owned();
        let fix = check.fix.clone().unwrap_or_default();
        vec![check.name.to_owned(), check.status.to_string(), check.detail.clone(), why, fix]
    };
    Sheet { header, rows: report.checks.iter().map(row).collect(), numeric: Vec::new() }
}
