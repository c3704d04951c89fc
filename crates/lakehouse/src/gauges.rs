//! What the rooms tell about themselves in `/metrics`.

use api::Shared;
use catalog::Catalog;
use embed::Embed;
use query::Query;
use vectors::Vectors;

/// Most indexes that are told by name: whoever may create indexes must not make the page endless.
const MOST_INDEXES: usize = 100;

/// The cache of vectors of texts.
pub fn of_embed(shared: &Shared, embed: &Embed) {
    let metrics = &shared.metrics;
    let (hits, misses, size) = (embed.clone(), embed.clone(), embed.clone());
    metrics.counter("embed_cache_hits", "Texts whose vectors were known", move || hits.stats().hits);
    metrics.counter("embed_cache_misses", "Texts that a model had to read", move || misses.stats().misses);
    metrics.gauge("embed_cache_texts", "Texts whose vectors are kept", move || size.stats().size as f64);
}

/// The log, the indexes and the queries.
pub fn of_lake(shared: &Shared, catalog: &Catalog, vectors: &Vectors, query: &Query) {
    let metrics = &shared.metrics;
    let (catalog, vectors, query) = (catalog.clone(), vectors.clone(), query.clone());
    metrics.gauge("log_head", "The newest version that this process knows", move || catalog.known_head().0 as f64);
    let lengths = move || {
        let mut lengths = vectors.lengths();
        lengths.sort_unstable();
        lengths.truncate(MOST_INDEXES);
        lengths.into_iter().map(|(index, length)| (index, length as f64)).collect()
    };
    metrics.gauges("index_items", "Items of the indexes that are open here, the first 100 by name", "index", lengths);
    metrics.gauge("queries_running", "Queries that are being answered", move || query.running() as f64);
}
