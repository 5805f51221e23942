//! The database, tables and views of a lake in Glue, from the one list of columns.
//!
//! What is there is upgraded: missing columns are appended, anything else that differs is refused,
//! since queries rest on it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_glue::Client;
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{Column, DatabaseInput, StorageDescriptor, Table as GlueTable, TableInput};

use super::client::{client, failed};
use super::shape::{columns, descriptor, missing};
use crate::edge::athena::Athena;
use crate::error::{Error, Result};
use crate::kernel::ddl;
use crate::kernel::ddl::{Dialect, View, presto};
use crate::model::{Granularity, Table};

/// Whose a table or view is: our mark in its parameters.
const MARK: &str = "edgemill";

/// What to do about a table that is not ours to change.
const DROP: &str = "drop the table (its files stay) and run edgemill init again";

const VIEW: &str = "VIRTUAL_VIEW";

/// What was done to one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogChange {
    /// It was not there.
    Made(String),
    /// It lacked columns, or said something that is no longer so.
    Upgraded(String),
}

impl std::fmt::Display for CatalogChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made(what) => write!(f, "made {what}"),
            Self::Upgraded(what) => write!(f, "upgraded {what}"),
        }
    }
}

/// The tables of one lake in one database.
#[derive(Debug)]
pub struct GlueTables {
    client: Client,
    database: String,
    lake_url: String,
    granularity: Granularity,
    /// Whether Athena works the partitions out by itself.
    projected: bool,
    /// Whoever may not write to Glue has statements write.
    statements: Option<Athena>,
}

/// A statement that makes a table takes seconds; one that waits for its turn, longer.
const STATEMENT: Duration = Duration::from_mins(5);

impl GlueTables {
    /// The tables of a lake in a database; `projected` where nobody registers partitions.
    pub async fn of(database: &str, lake_url: &str, granularity: Granularity, projected: bool) -> Self {
        let (database, lake_url) = (database.to_owned(), lake_url.to_owned());
        Self { client: client().await, database, lake_url, granularity, projected, statements: None }
    }

    /// The same, made and upgraded by statements that Athena runs.
    #[must_use]
    pub fn by_statements(self, athena: Athena) -> Self {
        Self { statements: Some(athena), ..self }
    }

    /// Makes what is missing and upgrades what is old.
    ///
    /// # Errors
    /// `Error::Usage` for a table of another lake or with another type of a column; the failures of
    /// Glue.
    pub async fn upgrade(&self) -> Result<Vec<CatalogChange>> {
        let mut changes = Vec::new();
        changes.extend(Box::pin(self.make_database()).await?);
        for table in Table::ALL {
            changes.extend(Box::pin(self.upgrade_table(table)).await?);
        }
        for view in ddl::VIEWS.iter() {
            changes.extend(Box::pin(self.upgrade_view(view)).await?);
        }
        Ok(changes)
    }

    fn path(&self, name: &str) -> String {
        format!("glue:{}.{name}", self.database)
    }

    fn failed<E>(&self, permission: &str, action: &'static str, name: &str, error: &SdkError<E>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        failed(permission, action, self.path(name), error)
    }

    async fn make_database(&self) -> Result<Option<CatalogChange>> {
        let path = || format!("glue:{}", self.database);
        match self.client.get_database().name(&self.database).send().await {
            Ok(_) => return Ok(None),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(failed("GetDatabase", "look at", path(), &error)),
        }
        if let Some(athena) = &self.statements {
            let sql = format!("CREATE DATABASE IF NOT EXISTS {}", ddl::backtick(&self.database));
            athena.run(&sql, STATEMENT).await?;
            return Ok(Some(CatalogChange::Made(format!("database {}", self.database))));
        }
        let input = DatabaseInput::builder().name(&self.database).description("Access logs, converted by edgemill");
        let input = input.build().map_err(|error| Error::usage(error.to_string(), "name another database"))?;
        match self.client.create_database().database_input(input).send().await {
            Ok(_) => Ok(Some(CatalogChange::Made(format!("database {}", self.database)))),
            Err(error) if is_there(&error) => Ok(None),
            Err(error) => Err(failed("CreateDatabase", "make", path(), &error)),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<GlueTable>> {
        match self.client.get_table().database_name(&self.database).name(name).send().await {
            Ok(found) => Ok(found.table),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.failed("GetTable", "look at", name, &error)),
        }
    }

    /// Creates a table, or finds the one that somebody else made at the same time.
    async fn create(&self, input: TableInput) -> Result<Option<GlueTable>> {
        let name = input.name().to_owned();
        match self.client.create_table().database_name(&self.database).table_input(input).send().await {
            Ok(_) => Ok(None),
            Err(error) if is_there(&error) => self.get(&name).await,
            Err(error) => Err(self.failed("CreateTable", "make", &name, &error)),
        }
    }

    async fn update(&self, input: TableInput) -> Result<()> {
        let name = input.name().to_owned();
        let updated = self.client.update_table().database_name(&self.database).table_input(input).send().await;
        updated.map(|_| ()).map_err(|error| self.failed("UpdateTable", "upgrade", &name, &error))
    }

    async fn upgrade_table(&self, table: Table) -> Result<Option<CatalogChange>> {
        let name = table.name();
        let there = match self.get(name).await? {
            Some(there) => there,
            None => match self.create_table(table).await? {
                None => return Ok(Some(CatalogChange::Made(format!("table {name}")))),
                Some(there) => there,
            },
        };
        let Some(input) = self.upgraded(table, &there)? else { return Ok(None) };
        if let Some(athena) = &self.statements {
            let theirs = there.storage_descriptor().map(StorageDescriptor::columns).unwrap_or_default();
            let columns = missing(theirs, &columns(table));
            if columns.is_empty() {
                return Ok(None);
            }
            let columns: Vec<String> =
                columns.iter().map(|(name, kind)| format!("{} {kind}", ddl::backtick(name))).collect();
            let sql = format!("ALTER TABLE {} ADD COLUMNS ({})", ddl::backtick(name), columns.join(", "));
            athena.run(&sql, STATEMENT).await?;
        } else {
            self.update(input).await?;
        }
        Ok(Some(CatalogChange::Upgraded(format!("table {name}"))))
    }

    async fn create_table(&self, table: Table) -> Result<Option<GlueTable>> {
        let Some(athena) = &self.statements else { return self.create(self.table_input(table)?).await };
        let sql = ddl::create_table(table, Dialect::Athena, &self.lake_url, self.granularity);
        athena.run(&sql, STATEMENT).await.map(|_| None)
    }

    fn table_input(&self, table: Table) -> Result<TableInput> {
        let key = |name: &&str| Column::builder().name(*name).r#type("string").build().ok();
        TableInput::builder()
            .name(table.name())
            .description("Access logs, converted by edgemill")
            .table_type("EXTERNAL_TABLE")
            .storage_descriptor(descriptor(table, ddl::location(table, &self.lake_url)))
            .set_partition_keys(Some(self.granularity.columns().iter().filter_map(key).collect()))
            .set_parameters(Some(self.parameters(table)))
            .build()
            .map_err(|error| Error::encode(table.name(), error))
    }

    fn parameters(&self, table: Table) -> HashMap<String, String> {
        let properties = ddl::table_properties(table, &self.lake_url, self.projected.then_some(self.granularity));
        let ours =
            [("EXTERNAL".to_owned(), "TRUE".to_owned()), (MARK.to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
        properties.into_iter().chain(ours).collect()
    }

    /// What a table that is there has to become, if it has to; what somebody else added stays.
    fn upgraded(&self, table: Table, there: &GlueTable) -> Result<Option<TableInput>> {
        let ours = self.table_input(table)?;
        let wrong = |what: String, hint: &str| Error::usage(format!("{}: {what}", self.path(table.name())), hint);
        let refuse = |what, hint| Err(wrong(what, hint));
        let Some(theirs) = there.storage_descriptor().filter(|_| there.table_type() != Some(VIEW)) else {
            return refuse("it is no table over files".to_owned(), "name another database with --catalog");
        };
        let location =
            |descriptor: &StorageDescriptor| descriptor.location().unwrap_or_default().trim_end_matches('/').to_owned();
        let wanted = ours.storage_descriptor().map(location).unwrap_or_default();
        if location(theirs) != wanted {
            let what = format!("it lies at '{}', not at '{wanted}'", location(theirs));
            return refuse(what, "name another database with --catalog: each lake has tables of its own");
        }
        let reads = |descriptor: &StorageDescriptor| {
            let serde = descriptor.serde_info().and_then(|serde| serde.serialization_library().map(str::to_owned));
            (descriptor.input_format().map(str::to_owned), serde)
        };
        if ours.storage_descriptor().map(reads) != Some(reads(theirs)) {
            return refuse("its files are not read as Parquet".to_owned(), DROP);
        }
        if there.partition_keys().iter().any(|key| key.r#type() != Some("string")) {
            return refuse("a partition column of it is not text".to_owned(), DROP);
        }
        let keys: Vec<&str> = there.partition_keys().iter().map(Column::name).collect();
        if keys != self.granularity.columns() {
            let what = format!("it is partitioned by {}, the lake by {}", keys.join(", "), self.granularity);
            return refuse(what, DROP);
        }
        let columns = merged(theirs.columns(), &columns(table)).map_err(|what| {
            wrong(what, "types never change: drop the table (its files stay) and run edgemill init again")
        })?;
        let mut parameters = there.parameters().cloned().unwrap_or_default();
        if !self.projected {
            parameters.retain(|name, _| !name.starts_with("projection.") && name != "storage.location.template");
        }
        parameters.extend(self.parameters(table));
        if columns == theirs.columns() && Some(&parameters) == there.parameters() {
            return Ok(None);
        }
        let builder = StorageDescriptor::builder()
            .set_columns(Some(columns))
            .set_location(theirs.location().map(str::to_owned))
            .set_input_format(theirs.input_format().map(str::to_owned))
            .set_output_format(theirs.output_format().map(str::to_owned))
            .set_serde_info(theirs.serde_info().cloned())
            .set_parameters(theirs.parameters().cloned());
        let input = TableInput::builder()
            .name(there.name())
            .set_description(there.description().map(str::to_owned))
            .set_owner(there.owner().map(str::to_owned))
            .set_retention(Some(there.retention()))
            .set_table_type(there.table_type().map(str::to_owned))
            .set_partition_keys(Some(there.partition_keys().to_vec()))
            .set_parameters(Some(parameters))
            .storage_descriptor(builder.build());
        input.build().map(Some).map_err(|error| Error::encode(table.name(), error))
    }

    async fn create_view(&self, view: &View, input: TableInput) -> Result<Option<GlueTable>> {
        let Some(athena) = &self.statements else { return self.create(input).await };
        athena.run(&ddl::create_view(view, Dialect::Athena, self.granularity), STATEMENT).await.map(|_| None)
    }

    async fn upgrade_view(&self, view: &View) -> Result<Option<CatalogChange>> {
        let input = self.view_input(view)?;
        let there = match self.get(view.name).await? {
            Some(there) => there,
            None => match self.create_view(view, input.clone()).await? {
                None => return Ok(Some(CatalogChange::Made(format!("view {}", view.name)))),
                Some(there) => there,
            },
        };
        let marked = there.parameters().is_some_and(|parameters| parameters.contains_key(MARK));
        let text = there.view_original_text().unwrap_or_default();
        let same = text == input.view_original_text().unwrap_or_default();
        // Who ran the script of `edgemill ddl` in Athena has the same view, without our mark.
        let sql = ddl::view_sql(view, Dialect::Athena, self.granularity);
        let same_sql = presto::original_sql(text).is_some_and(|theirs| words(&theirs) == words(&sql));
        if same || same_sql && !marked {
            return Ok(None);
        }
        // A statement leaves no mark.
        if there.table_type() != Some(VIEW) || !marked && self.statements.is_none() {
            return Err(Error::usage(
                format!("{}: there is something else of that name", self.path(view.name)),
                "drop it, or name another database with --catalog",
            ));
        }
        if self.statements.is_some() {
            self.create_view(view, input).await?;
        } else {
            self.update(input).await?;
        }
        Ok(Some(CatalogChange::Upgraded(format!("view {}", view.name))))
    }

    fn view_input(&self, view: &View) -> Result<TableInput> {
        let of = presto::columns(view, self.granularity);
        let column = |column: &presto::ViewColumn| Column::builder().name(column.name).r#type(column.hive).build().ok();
        let descriptor =
            StorageDescriptor::builder().set_columns(Some(of.iter().filter_map(column).collect())).location("");
        let ours = [("presto_view", "true"), ("comment", "Presto View"), (MARK, env!("CARGO_PKG_VERSION"))];
        let parameters = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
        TableInput::builder()
            .name(view.name)
            .description(view.doc)
            .table_type(VIEW)
            .storage_descriptor(descriptor.build())
            .set_parameters(Some(parameters.into()))
            .view_original_text(presto::view(view, &self.database, self.granularity))
            .view_expanded_text("/* Presto View */")
            .build()
            .map_err(|error| Error::encode(view.name, error))
    }
}

fn words(sql: &str) -> Vec<String> {
    sql.split_whitespace().map(str::to_owned).collect()
}

/// The columns that are there, and those that are missing after them; what is wrong where a type
/// differs.
fn merged(theirs: &[Column], ours: &[Column]) -> Result<Vec<Column>, String> {
    let mut all = theirs.to_vec();
    for column in ours {
        let kind = |column: &Column| column.r#type().unwrap_or_default().to_owned();
        match all.iter().find(|there| there.name() == column.name()) {
            Some(there) if kind(there) == kind(column) => {}
            Some(there) => {
                return Err(format!("its column {} is {}, not {}", column.name(), kind(there), kind(column)));
            }
            None => all.push(column.clone()),
        }
    }
    Ok(all)
}

fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("EntityNotFoundException")
}

fn is_there<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("AlreadyExistsException")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str) -> Column {
        Column::builder().name(name).r#type(kind).build().unwrap()
    }

    #[test]
    fn columns_are_appended_and_never_retyped() {
        let (a, b, c) = (column("a", "int"), column("b", "string"), column("c", "double"));
        let names = |columns: &[Column]| columns.iter().map(|column| column.name().to_owned()).collect::<Vec<_>>();
        let all = merged(&[a.clone(), c.clone()], &[a.clone(), b.clone()]).unwrap();
        assert_eq!(names(&all), ["a", "c", "b"], "what somebody else added stays");
        assert!(merged(&[column("a", "bigint")], &[a]).unwrap_err().contains("bigint"));
    }
}
