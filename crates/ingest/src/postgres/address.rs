//! What the configured URL says: where the database is, and how its connections are secured.

use tokio_postgres::Config;

use super::tls::Trust;

/// A mode of libpq that the driver does not know: encrypted, and the certificate must be the host's.
const VERIFIED: &str = "sslmode=verify-full";
/// What it is for the driver, to which a certificate is ours to check.
const REQUIRED: &str = "sslmode=require";

const UNREADABLE: &str =
    "the configured URL of the database cannot be read; its sslmode may be disable, prefer, require or verify-full";
const NOWHERE: &str = "the configured URL of the database names no host";
const UNASKED: &str =
    "the database is configured with authorities, which nobody asks unless its URL has sslmode=verify-full";

/// The driver's settings and whom to trust, or in words what is wrong with what is configured.
pub fn read(url: &str, authorities: Option<&str>) -> Result<(Config, Trust), &'static str> {
    // What stands before the question mark may be a password that happens to look so.
    let options = if url.contains("://") { url.find('?').unwrap_or(url.len()) } else { 0 };
    let (place, options) = url.split_at(options);
    let config = format!("{place}{}", options.replace(VERIFIED, REQUIRED));
    let config: Config = config.parse().map_err(|_| UNREADABLE)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(NOWHERE);
    }
    match (options.contains(VERIFIED), authorities) {
        (true, authorities) => Ok((config, Trust::Authorities(authorities.map(str::to_owned)))),
        (false, None) => Ok((config, Trust::Nobody)),
        (false, Some(_)) => Err(UNASKED),
    }
}
