//! Settings from a TOML file, laid over the preset it names.

use super::{Config, ConfigError};

impl Config {
    /// Reads a TOML file's text. `preset = "lan" | "wan" | "lab"` chooses what the rest changes.
    ///
    /// # Errors
    /// Shows the line that is wrong. Whether the settings contradict each other, [`Config::check`]
    /// tells.
    ///
    /// ```
    /// # use gossip_mesh::Config;
    /// let config = Config::from_toml("preset = \"wan\"\n[link]\nmax_links = 64").unwrap();
    /// assert_eq!((config.kademlia, config.link.max_links), (true, 64));
    /// let error = Config::from_toml("bootstap = []").unwrap_err();
    /// assert!(error.to_string().contains("line 1"));
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let broken = |error: toml::de::Error| ConfigError::one(error.to_string());
        // Read by itself first, because only then an error can show its line.
        let alone: Self = toml::from_str(text).map_err(broken)?;
        let mut given: toml::Table = toml::from_str(text).map_err(broken)?;
        respell(&mut given);
        let preset = toml::Table::try_from(Self::preset(alone.preset))
            .map_err(|error| ConfigError::one(error.to_string()))?;
        toml::Value::Table(merged(preset, given)).try_into().map_err(broken)
    }
}

/// A setting with a second spelling is laid over the preset by its first one: both at once would be
/// refused.
fn respell(given: &mut toml::Table) {
    if let Some(toml::Value::Table(membership)) = given.get_mut("membership")
        && let Some(threshold) = membership.remove("consensus_treshold")
    {
        membership.insert("consensus_threshold".to_owned(), threshold);
    }
}

/// `over` laid over `under`, table by table.
fn merged(mut under: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        match (under.remove(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => {
                under.insert(key, toml::Value::Table(merged(below, above)));
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
    under
}
