//! Browser and system by a `regexes.yaml` of the ua-parser project (uap-core), for those who keep
//! one. What it does not know stays as the built-in rules have it; whether a bot is behind it is
//! never its to say.

use serde::Deserialize;

use super::browser::{Browser, major};

/// The compiled regular expressions.
pub(super) struct Regexes {
    browsers: ua_parser::user_agent::Extractor<'static>,
    systems: ua_parser::os::Extractor<'static>,
}

/// What is read of a `regexes.yaml`.
#[derive(Deserialize)]
struct RegexesFile {
    #[serde(default)]
    user_agent_parsers: Vec<ua_parser::user_agent::Parser<'static>>,
    #[serde(default)]
    os_parsers: Vec<ua_parser::os::Parser<'static>>,
}

impl std::fmt::Debug for Regexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Regexes")
    }
}

impl Regexes {
    /// Reads a `regexes.yaml`; says what is wrong with it.
    pub(super) fn read(yaml: &str) -> Result<Self, String> {
        let file: RegexesFile = serde_yaml_ng::from_str(yaml).map_err(|error| error.to_string())?;
        compiled(file).map_err(|error| error.to_string().replace("\\n", " "))
    }

    /// What the expressions say, and for the rest what was known before.
    pub(super) fn refine(&self, text: &str, mut known: Browser) -> Browser {
        if let Some(browser) = self.browsers.extract(text) {
            known.family = Some(browser.family.into_owned());
            known.version = browser.major.and_then(major);
        }
        if let Some(system) = self.systems.extract(text) {
            known.system = Some(system.os.into_owned());
        }
        known
    }
}

fn compiled(file: RegexesFile) -> Result<Regexes, ua_parser::Error> {
    let mut browsers = ua_parser::user_agent::Builder::new();
    for parser in file.user_agent_parsers {
        browsers = browsers.push(parser)?;
    }
    let mut systems = ua_parser::os::Builder::new();
    for parser in file.os_parsers {
        systems = systems.push(parser)?;
    }
    Ok(Regexes { browsers: browsers.build()?, systems: systems.build()? })
}

#[cfg(test)]
mod tests {
    use crate::kernel::policy::enrich::{Additions, Enricher, Escapes};

    const YAML: &str = r"
user_agent_parsers:
  - regex: '(AcmeBrowser)/(\d+)\.(\d+)'
    family_replacement: 'Acme Browser'
os_parsers:
  - regex: 'AcmeOS'
    os_replacement: 'Acme OS'
";

    #[test]
    fn regular_expressions_name_browsers_and_systems() {
        let additions = Additions { regexes: Some(YAML.to_owned()), ..Additions::default() };
        let enricher = Enricher::new(&additions).unwrap();
        let agent = |text: &str| enricher.classify(text.as_bytes(), Escapes::Percent);
        let acme = agent("Mozilla/5.0 (X11; AcmeOS) Gecko/20100101 AcmeBrowser/7.2");
        assert_eq!(
            (acme.browser_family.as_deref(), acme.browser_version.as_deref()),
            (Some("Acme Browser"), Some("7"))
        );
        assert_eq!((acme.os_family.as_deref(), acme.is_bot), (Some("Acme OS"), Some(false)));
        let known = agent("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0");
        assert_eq!((known.browser_family.as_deref(), known.os_family.as_deref()), (Some("Firefox"), Some("Linux")));
        let wrong = Additions { regexes: Some("user_agent_parsers: 1".to_owned()), ..Additions::default() };
        assert!(Enricher::new(&wrong).is_err());
    }
}
