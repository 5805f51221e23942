//! What a lake remembers of how its rows are made, as a person types it.

use std::path::PathBuf;

use super::Lake;
use crate::error::Result;
use crate::job::said::{of_stamp, quoted};
use crate::kernel::policy::privacy::ALL;
use crate::model::Table;

/// What somebody said who asks for a command, as far as the command is to say it too.
#[derive(Clone, Debug, Default)]
pub struct AlreadySaid {
    /// How logs are found and read, as arguments.
    pub of_logs: String,
    /// Where the key is that addresses are hashed under.
    pub key_file: Option<PathBuf>,
}

impl Lake {
    /// What a run says that makes rows of a table as the lake keeps them: what is kept of people,
    /// the layout of the folders where one was ever said, and what was said already. Nothing of
    /// people where the lake keeps all of them everywhere.
    pub async fn arguments_of(&self, table: Table, said: &AlreadySaid) -> Result<String> {
        let kept = self.kept_of_all().await?;
        let mut arguments = Vec::new();
        if kept.values().any(|known| known.keeps != ALL) {
            let own = kept.get(&table).map_or(ALL, |known| &known.keeps);
            arguments.push(of_stamp(own, said.key_file.as_deref()));
        }
        arguments.extend(Some(self.reading(said).await?).filter(|reading| !reading.is_empty()));
        Ok(arguments.join(" "))
    }

    /// The same of one choice of what is kept of people.
    pub async fn arguments_of_choice(&self, keeps: &str, said: &AlreadySaid) -> Result<String> {
        let (people, reading) = (of_stamp(keeps, said.key_file.as_deref()), self.reading(said).await?);
        Ok(if reading.is_empty() { people } else { format!("{people} {reading}") })
    }

    /// How logs are found and read.
    async fn reading(&self, said: &AlreadySaid) -> Result<String> {
        let mut reading = said.of_logs.clone();
        if !reading.contains("--layout ")
            && let [layout] = self.layouts(None).await?.as_slice()
        {
            let before = if reading.is_empty() { "" } else { " " };
            reading = format!("--layout {}{before}{reading}", quoted(&layout.to_string()));
        }
        Ok(reading)
    }
}
