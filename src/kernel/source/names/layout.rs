//! Keys whose folders tell what their file names do not: the deliveries of CloudFront's version 2.
//!
//! Source: the CloudFront Developer Guide, "Standard logging (v2)": the user lays out the folders
//! from `{DistributionId}`, `{yyyy}`, `{MM}`, `{dd}`, `{HH}`, `{accountid}` and words of his own,
//! in any order; Hive-compatible ones are written
//! `DistributionId=<id>/year=2025/month=01/day=25/hour=03`. A folder `AWSLogs/<account>/CloudFront`
//! stands before them where the bucket has no prefix.

use crate::model::Hour;

/// What the folders of a key say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FolderFacts {
    pub(super) distribution: Option<String>,
    pub(super) hour: Option<Hour>,
}

#[derive(Default)]
struct FolderTime {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
}

impl FolderTime {
    fn hour(&self) -> Option<Hour> {
        Hour::from_civil(self.year?, self.month?, self.day?, self.hour?)
    }
}

/// A layout that the user wrote down, such as `{yyyy}/{MM}/{dd}/{HH}/{DistributionId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    text: String,
    folders: Vec<Vec<LayoutPart>>,
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LayoutPart {
    Word(String),
    Distribution,
    Account,
    Year,
    Month,
    Day,
    Hour,
}

impl std::str::FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let folders = text.split('/').filter(|folder| !folder.is_empty());
        let folders = folders.map(pieces).collect::<Result<Vec<_>, String>>()?;
        let has = |piece: &LayoutPart| folders.iter().flatten().any(|known| known == piece);
        if [LayoutPart::Year, LayoutPart::Month, LayoutPart::Day, LayoutPart::Hour].iter().all(has) {
            Ok(Self { text: text.to_owned(), folders })
        } else {
            Err(format!("'{text}' tells no hour; it needs {{yyyy}}, {{MM}}, {{dd}} and {{HH}}"))
        }
    }
}

fn pieces(folder: &str) -> Result<Vec<LayoutPart>, String> {
    let (mut pieces, mut rest) = (Vec::new(), folder);
    while !rest.is_empty() {
        let word = rest.find('{').unwrap_or(rest.len());
        if word > 0 {
            pieces.push(LayoutPart::Word(rest[..word].to_owned()));
            rest = &rest[word..];
            continue;
        }
        let end = rest.find('}').ok_or_else(|| format!("'{folder}' has a brace that is not closed"))?;
        pieces.push(match &rest[1..end] {
            "DistributionId" | "distributionid" => LayoutPart::Distribution,
            "accountid" => LayoutPart::Account,
            "yyyy" => LayoutPart::Year,
            "MM" => LayoutPart::Month,
            "dd" => LayoutPart::Day,
            "HH" => LayoutPart::Hour,
            other => return Err(format!("'{{{other}}}' is no variable of CloudFront's folders")),
        });
        rest = &rest[end + 1..];
    }
    Ok(pieces)
}

impl Layout {
    /// What the folders of a key say, the file's name left out; the last place where the layout
    /// fits.
    pub(super) fn read(&self, folders: &[&str]) -> Option<FolderFacts> {
        let last = folders.len().checked_sub(self.folders.len())?;
        (0..=last).rev().find_map(|first| {
            let (mut said, mut time) = (FolderFacts::default(), FolderTime::default());
            let fits = self
                .folders
                .iter()
                .zip(&folders[first..])
                .all(|(pieces, folder)| fit(pieces, folder, &mut said, &mut time));
            said.hour = time.hour();
            (fits && said.hour.is_some()).then_some(said)
        })
    }
}

/// Whether a folder's name is what some pieces make.
fn fit(pieces: &[LayoutPart], folder: &str, said: &mut FolderFacts, time: &mut FolderTime) -> bool {
    let Some((piece, after)) = pieces.split_first() else { return folder.is_empty() };
    let number = |digits: usize| -> Option<(&str, i16)> {
        let (number, rest) = folder.split_at_checked(digits)?;
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        Some((rest, number))
    };
    let small = |number: i16| i8::try_from(number).ok();
    let rest = match piece {
        LayoutPart::Word(word) => folder.strip_prefix(word.as_str()),
        LayoutPart::Distribution | LayoutPart::Account => {
            let end = folder.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(folder.len());
            if *piece == LayoutPart::Distribution {
                said.distribution = Some(folder[..end].to_owned());
            }
            (end > 0).then(|| &folder[end..])
        }
        LayoutPart::Year => number(4).map(|(rest, number)| (rest, time.year = Some(number)).0),
        LayoutPart::Month => number(2).map(|(rest, number)| (rest, time.month = small(number)).0),
        LayoutPart::Day => number(2).map(|(rest, number)| (rest, time.day = small(number)).0),
        LayoutPart::Hour => number(2).map(|(rest, number)| (rest, time.hour = small(number)).0),
    };
    rest.is_some_and(|rest| fit(after, rest, said, time))
}

/// What folders say that nobody described: Hive-style ones in any order, or a year, a month, a day
/// and an hour one after another with or without words between. Only where a folder names
/// CloudFront or a distribution.
pub(super) fn guess(folders: &[&str]) -> Option<FolderFacts> {
    let (mut said, mut time, mut plain) = (FolderFacts::default(), FolderTime::default(), FolderTime::default());
    let mut is_cloudfront = false;
    for folder in folders {
        if let Some((name, value)) = folder.split_once('=') {
            match name.to_ascii_lowercase().as_str() {
                "distributionid" => said.distribution = Some(value.to_owned()),
                "year" => time.year = value.parse().ok(),
                "month" => time.month = value.parse().ok(),
                "day" => time.day = value.parse().ok(),
                "hour" => time.hour = value.parse().ok(),
                _ => {}
            }
        } else if is_distribution(folder) {
            said.distribution = Some((*folder).to_owned());
        } else if folder.eq_ignore_ascii_case("cloudfront") {
            is_cloudfront = true;
        } else if folder.bytes().all(|byte| byte.is_ascii_digit()) {
            plain.next(folder);
        }
    }
    said.hour = time.hour().or_else(|| plain.hour());
    (is_cloudfront || said.distribution.is_some()).then_some(said).filter(|said| said.hour.is_some())
}

impl FolderTime {
    /// The next folder of digits: a year begins anew, then month, day and hour follow.
    fn next(&mut self, folder: &str) {
        let small = folder.parse::<i8>().ok().filter(|_| folder.len() == 2);
        match (folder.len(), self.year, self.month, self.day, self.hour) {
            (4, ..) => *self = Self { year: folder.parse().ok(), ..Self::default() },
            (2, Some(_), None, ..) => self.month = small,
            (2, Some(_), Some(_), None, _) => self.day = small,
            (2, Some(_), Some(_), Some(_), None) => self.hour = small,
            _ => {}
        }
    }
}

/// Identifiers of distributions: `E` and some twelve capitals and digits.
fn is_distribution(folder: &str) -> bool {
    (12..=16).contains(&folder.len())
        && folder.starts_with('E')
        && folder.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(distribution: Option<&str>, hour: &str) -> FolderFacts {
        FolderFacts { distribution: distribution.map(str::to_owned), hour: Some(hour.parse().unwrap()) }
    }

    fn folders(text: &str) -> Vec<&str> {
        text.split('/').collect()
    }

    #[test]
    fn folders_say_distribution_and_hour() {
        let id = Some("E2EXAMPLE1234");
        for (key, wanted) in [
            ("AWSLogs/111122223333/CloudFront/E2EXAMPLE1234/2025/01/25/03", Some(said(id, "2025-01-25T03"))),
            ("AWSLogs/111122223333/CloudFront/2025/01/25/03/logs", Some(said(None, "2025-01-25T03"))),
            ("x/E2EXAMPLE1234/y/2025/m/01/25/h/03/z", Some(said(id, "2025-01-25T03"))),
            (
                "AWSLogs/aws-account-id=1111/CloudFront/DistributionId=E2EXAMPLE1234/year=2025/month=01/day=25/hour=03",
                Some(said(id, "2025-01-25T03")),
            ),
            ("hour=03/day=25/month=01/year=2025/distributionid=E2EXAMPLE1234", Some(said(id, "2025-01-25T03"))),
            ("photos/2025/01/25/03", None),
            ("CloudFront/2025/01/25", None),
            ("CloudFront/2025/13/25/03", None),
        ] {
            assert_eq!(guess(&folders(key)), wanted, "{key}");
        }
    }

    #[test]
    fn a_layout_that_is_written_down_is_read_in_any_order() {
        let layout: Layout = "{HH}h/{dd}.{MM}.{yyyy}/cf-{DistributionId}".parse().unwrap();
        let id = Some("E2EXAMPLE1234");
        assert_eq!(layout.read(&folders("p/03h/25.01.2025/cf-E2EXAMPLE1234")), Some(said(id, "2025-01-25T03")));
        assert_eq!(layout.read(&folders("p/03h/25.01.2025/cf-E2EXAMPLE1234/more")), Some(said(id, "2025-01-25T03")));
        for key in ["p/3h/25.01.2025/cf-E2", "03h/25.01.2025", "03h/32.01.2025/cf-E2", "03h/25.01.2025/cf-"] {
            assert_eq!(layout.read(&folders(key)), None, "{key}");
        }
        assert!("{yyyy}/{MM}/{dd}".parse::<Layout>().is_err());
        assert!("{yyyy}/{MM}/{dd}/{HH}/{Zone}".parse::<Layout>().is_err());
        assert!("{yyyy}/{MM}/{dd}/{HH".parse::<Layout>().is_err());
    }
}
