//! Digests and names.

use crate::kernel::ledger::records::*;
use crate::model::Table;

fn object(key: &str, etag: &str) -> ObjectId {
    ObjectId { key: key.into(), etag: etag.into(), size_bytes: 1 }
}

#[test]
fn a_digest_knows_sets_not_orders() {
    let (a, b, c) = (object("a", "1"), object("b", "1"), object("a", "2"));
    let of = |objects: &[&ObjectId]| digest("s3://logs", objects.iter().copied());
    assert_eq!(of(&[&a, &b]), of(&[&b, &a]));
    assert_ne!(of(&[&a, &b]), of(&[&c, &b]));
    assert_ne!(of(&[&a]), of(&[&a, &b]));
    let mut joined = of(&[&a]);
    joined.join(&of(&[&b]));
    assert_eq!(joined, of(&[&a, &b]));
    let text = serde_json::to_string(&joined).unwrap();
    assert_eq!(serde_json::from_str::<InputsDigest>(&text).unwrap(), joined);
}

#[test]
fn a_batch_is_named_by_its_inputs() {
    let unit = UnitId::of_hour(Table::CloudfrontLogs, "2026-11-21T05".parse().unwrap());
    let name = |objects: &[ObjectId]| batch_id(&unit, "s3://logs", "r", objects, &BTreeSet::new());
    assert_eq!(name(&[object("a", "1")]), name(&[object("a", "1")]));
    assert_ne!(name(&[object("a", "1")]), name(&[object("a", "2")]));
    assert!(name(&[object("a", "1")]).0.starts_with("2026112105-"), "{}", name(&[]).0);
}

#[test]
fn stages_are_recorded_under_the_names_that_lakes_have() {
    let names = [RewriteStage::Open, RewriteStage::Back].map(|stage| serde_json::to_string(&stage).unwrap());
    assert_eq!(names, [r#""aside""#, r#""back""#]);
}
