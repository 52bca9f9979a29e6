//! `[api]`: the local API.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The local API: HTTP and JSON into this one node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Serve it on the Unix socket `api.sock` in the data folder. Default on (where there is one).
    pub unix: bool,
    /// The socket, when it should be elsewhere: a socket's path has at most about 100 bytes.
    pub socket: Option<PathBuf>,
    /// Serve it on this TCP address too. Needs a token.
    pub tcp: Option<SocketAddr>,
    /// File with the bearer token for TCP; made (0600) when missing. Default `api.token` in the
    /// data folder.
    pub token_file: Option<PathBuf>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { unix: true, socket: None, tcp: None, token_file: None }
    }
}
