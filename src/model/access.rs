//! How a place in the cloud is reached: as whom, where, who pays, and how what is written there is
//! encrypted.

use std::fmt;
use std::str::FromStr;

/// How a bucket encrypts what is put into it. Left out, it does as its owner set it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// With S3's own keys (SSE-S3).
    S3,
    /// With a key of KMS (SSE-KMS): of this ARN or id, or the account's own for S3.
    Kms(Option<String>),
}

impl FromStr for Encryption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "s3" => Ok(Self::S3),
            None if text == "kms" => Ok(Self::Kms(None)),
            Some(("kms", key)) if !key.is_empty() => Ok(Self::Kms(Some(key.to_owned()))),
            _ => Err(format!("'{text}' is no encryption; write s3, kms or kms:KEY")),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 => f.write_str("s3"),
            Self::Kms(None) => f.write_str("kms"),
            Self::Kms(Some(key)) => write!(f, "kms:{key}"),
        }
    }
}

/// How a place is reached. A folder needs nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The role to take on, by its ARN: a bucket of another account.
    pub role: Option<String>,
    /// The word that the other account asks for.
    pub external_id: Option<String>,
    /// The region, where it is not that of this process.
    pub region: Option<String>,
    /// Whether the caller pays for the requests, which such a bucket wants to be told.
    pub requester_pays: bool,
    /// How what is written is encrypted.
    pub encryption: Option<Encryption>,
}

impl Access {
    /// Nothing but an encryption.
    #[must_use]
    pub fn encrypted(encryption: Option<Encryption>) -> Self {
        Self { encryption, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryptions_are_read_as_they_are_written() {
        for text in ["s3", "kms", "kms:arn:aws:kms:us-east-1:123456789012:key/1234"] {
            assert_eq!(text.parse::<Encryption>().unwrap().to_string(), text);
        }
        for text in ["", "kms:", "aes"] {
            assert!(text.parse::<Encryption>().is_err(), "{text}");
        }
    }
}
