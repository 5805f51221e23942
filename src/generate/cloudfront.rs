//! An object of CloudFront's standard logs: its header and its rows, as each delivery writes them.

use super::delivery::{Vended, vended_key};
use super::draw::Dice;
use super::exchange::Exchange;
use super::plan::Task;
use super::row::{FIELDS, Frame};
use super::sessions::Sessions;
use super::sites::World;
use super::spec::Delivery;
use super::uris::PathKind;
use crate::error::Result;
use crate::kernel::source::parse::values::Clock;
use crate::model::Hour;

/// Writes an object's bytes, not yet compressed, over what `out` held; its key.
pub(super) fn write(world: &World, task: &Task, delivery: Delivery, out: &mut Vec<u8>) -> Result<String> {
    write_text(world, task, out);
    if delivery != Delivery::Classic {
        *out = vend(delivery, out)?;
    }
    let id = &world.sites[task.site].id;
    Ok(match delivery {
        Delivery::Classic | Delivery::Plain => task.file_name(id),
        Delivery::W3c | Delivery::Json | Delivery::Parquet => vended_key("CloudFront", delivery, task, id),
    })
}

/// The names of the fields, in their order.
pub(super) fn field_names(delivery: Delivery) -> Vec<String> {
    let mut names: Vec<String> = FIELDS.split(' ').map(str::to_owned).collect();
    if delivery == Delivery::Json {
        names.splice(..2, ["timestamp(ms)".to_owned()]);
        names.reverse();
    }
    names
}

/// A text of version 1 in another delivery. JSON tells the time in milliseconds, and the fields in
/// another order.
fn vend(delivery: Delivery, text: &[u8]) -> Result<Vec<u8>> {
    let milliseconds = delivery == Delivery::Json;
    let mut vended = Vended::new(delivery, field_names(delivery));
    let mut clock = Clock::default();
    let rows = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    for row in rows {
        let values: Vec<&[u8]> = row.split(|byte| *byte == b'\t').collect();
        if milliseconds {
            let time = clock.seconds(values[0], values[1]).unwrap_or(0) * 1_000;
            let time = time.to_string();
            vended.push(values[2..].iter().rev().copied().chain([time.as_bytes()]));
        } else {
            vended.push(values.into_iter());
        }
    }
    vended.finish()
}

/// Writes an object's text over what `out` held.
fn write_text(world: &World, task: &Task, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"#Version: 1.0\n#Fields: ");
    out.extend_from_slice(FIELDS.as_bytes());
    out.push(b'\n');
    let site = &world.sites[task.site];
    let frame = Frame { world, site, within: stamp(task.hour), before: stamp(task.hour.plus(-1)) };
    let dice = &mut Dice::of(&[task.seed]);
    let mut sessions = Sessions::default();
    for _ in 0..task.rows {
        let session = sessions.next(world, dice);
        let row = Exchange::draw(world, site, session, dice);
        frame.push_row(out, session, &row, dice);
        if row.kind == PathKind::Page {
            session.page = Some(row.uri);
        }
    }
}

/// Date and hour as rows begin.
fn stamp(hour: Hour) -> String {
    let [year, month, day, hour] = hour.folders();
    format!("{year}-{month}-{day}\t{hour}:")
}
