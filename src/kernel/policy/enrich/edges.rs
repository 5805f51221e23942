//! Where an edge location is: city and country by the airport code that its name begins with.

use std::collections::HashMap;

pub(super) const LOCATIONS: &str = include_str!("data/edge_locations.toml");

/// City and country by code.
#[derive(Debug)]
pub struct EdgeLocations(HashMap<String, (String, String)>);

impl EdgeLocations {
    /// The table that is built in.
    pub(super) fn built_in() -> Result<Self, String> {
        toml::from_str(LOCATIONS).map(Self).map_err(|error| format!("edge_locations.toml: {error}"))
    }

    /// City and country (ISO 3166-1 alpha-2) of an edge location such as `HEL51-P6`; `None` where
    /// its code is not known.
    #[must_use]
    pub fn find(&self, location: &[u8]) -> Option<(&str, &str)> {
        let code = std::str::from_utf8(location.get(..3)?).ok()?;
        self.0.get(code).map(|(city, country)| (city.as_str(), country.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_letters_tell() {
        let edges = EdgeLocations::built_in().unwrap();
        assert_eq!(edges.find(b"HEL51-P6"), Some(("Helsinki", "FI")));
        assert_eq!(edges.find(b"SFO53"), Some(("San Francisco", "US")));
        assert_eq!([edges.find(b"XXX1"), edges.find(b"-"), edges.find(b""), edges.find(b"\xff\xff\xff")], [None; 4]);
        for (code, (city, country)) in &edges.0 {
            assert!(code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()), "{code}");
            assert!(!city.is_empty() && country.len() == 2, "{code}");
        }
    }
}
