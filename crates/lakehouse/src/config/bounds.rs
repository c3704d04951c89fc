//! Numbers that are well written, and with which no lake could work.

use base::{ByteSize, Span};

use super::Config;
use super::faults::Faults;

/// Most of what is counted one by one.
const MOST: u64 = 1_000_000;
/// Most of what is kept in memory, one by one.
const MOST_KEPT: u64 = 100_000_000;
/// Most threads.
const MOST_THREADS: u64 = 1024;
/// Most loads at once: each keeps a thread for blocking work while its files need another.
const MOST_LOADS: u64 = crate::BLOCKING_THREADS as u64 / 2;
/// Longest time that anything may take: a year.
const LONGEST: Span = Span::secs(366 * 24 * 3600);

/// Reports every number that is out of its bounds.
pub fn check(config: &Config, faults: &mut Faults) {
    let (gateway, queryd) = (&config.gateway.settings, &config.queryd.settings);
    let (storaged, ingestd, catalogd) =
        (&config.storaged.settings, &config.ingestd.settings, &config.catalogd.settings);
    let (vectord, embedd) = (&config.vectord.settings, &config.embedd.settings);
    let mut check = Check(faults);
    check.count("gateway.concurrent_requests", gateway.concurrent_requests as u64, 1, MOST);
    check.count("gateway.waiting_requests", gateway.waiting_requests as u64, 0, MOST);
    check.count("storaged.concurrent_puts", storaged.concurrent_puts as u64, 1, MOST);
    check.count("ingestd.concurrent_loads", ingestd.concurrent_loads as u64, 1, MOST_LOADS);
    check.count("catalogd.checkpoint_every", catalogd.checkpoint_every, 1, MOST);
    check.count("queryd.threads", queryd.threads.unwrap_or(1) as u64, 1, MOST_THREADS);
    check.count("queryd.max_rows_limit", queryd.max_rows_limit, 1, u64::MAX);
    check.count("queryd.max_rows_default", queryd.max_rows_default, 1, queryd.max_rows_limit.max(1));
    check.count("gateway.connections", gateway.connections as u64, 1, MOST);
    check.count("vectord.max_dimension", vectord.max_dimension.into(), 1, MOST);
    check.count("vectord.max_batch_items", vectord.max_batch_items as u64, 1, MOST);
    check.count("embedd.max_texts", embedd.max_texts as u64, 1, MOST);
    check.count("embedd.cache_size", embedd.cache_size as u64, 0, MOST_KEPT);
    check.size("embedd.max_text_bytes", embedd.max_text_bytes);
    check.size("gateway.batch_limit", gateway.batch_limit);
    check.size("gateway.json_limit", gateway.json_limit);
    check.size("storaged.object_limit", storaged.object_limit);
    check.size("storaged.vector_limit", storaged.vector_limit);
    check.size("ingestd.max_ingest_bytes", ingestd.max_ingest_bytes);
    check.size("queryd.memory_limit", queryd.memory_limit);
    check.size("vectord.seal_bytes", vectord.seal_bytes);
    check.span("gateway.deadline", gateway.deadline);
    check.span("gateway.long_deadline", gateway.long_deadline);
    check.span("gateway.body_timeout", gateway.body_timeout);
    check.span("gateway.upstream_timeout", gateway.upstream_timeout);
    check.span("catalogd.commit_timeout", catalogd.commit_timeout);
    check.span("queryd.timeout", queryd.timeout);
    check.span("embedd.timeout", embedd.timeout);
    check.span("vectord.seal_after", vectord.seal_after);
    check.span("gateway.header_timeout", gateway.header_timeout);
    check.span("gateway.send_timeout", gateway.send_timeout);
    check.short("gateway.drain", gateway.drain);
    check.short("catalogd.max_staleness", catalogd.max_staleness);
}

struct Check<'a>(&'a mut Faults);

impl Check<'_> {
    fn count(&mut self, key: &str, count: u64, least: u64, most: u64) {
        if count < least {
            self.0.add(format!("{key}: {count} is too few, it is at least {least}"));
        }
        if count > most {
            self.0.add(format!("{key}: {count} is too many, it is at most {most}"));
        }
    }

    fn size(&mut self, key: &str, size: ByteSize) {
        if size.0 == 0 {
            self.0.add(format!("{key}: nothing fits into {size}"));
        }
    }

    fn span(&mut self, key: &str, span: Span) {
        if span.0.is_zero() {
            self.0.add(format!("{key}: nothing can be done within {span}"));
        }
        self.short(key, span);
    }

    fn short(&mut self, key: &str, span: Span) {
        if span > LONGEST {
            self.0.add(format!("{key}: {span} is longer than a year"));
        }
    }
}
