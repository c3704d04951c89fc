//! What the configured URL says: where the database is, and how its connections are secured.

use tokio_postgres::Config;

use super::tls::Trust;

/// A mode of libpq that the driver does not know: encrypted, and the certificate must be the host's.
const VERIFIED: &str = "sslmode=verify-full";
/// What it is for the driver, to which a certificate is ours to check.
const REQUIRED: &str = "sslmode=require";

/// The driver's settings and whom to trust; none when the URL cannot be read.
pub fn read(url: &str, authorities: Option<&str>) -> Option<(Config, Trust)> {
    // What stands before the question mark may be a password that happens to look so.
    let options = if url.contains("://") { url.find('?').unwrap_or(url.len()) } else { 0 };
    let (place, options) = url.split_at(options);
    let config = format!("{place}{}", options.replace(VERIFIED, REQUIRED)).parse().ok()?;
    let trust = match options.contains(VERIFIED) {
        true => Trust::Authorities(authorities.map(str::to_owned)),
        false => Trust::Nobody,
    };
    Some((config, trust))
}
