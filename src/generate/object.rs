//! One object: its two header lines and its rows, as raw text.

use super::draw::Dice;
use super::exchange::Exchange;
use super::plan::Task;
use super::row::{FIELDS, Frame};
use super::sessions::Sessions;
use super::sites::World;
use super::uris::Kind;
use crate::model::Hour;

/// Writes an object's text over what `out` held.
pub(super) fn write_text(world: &World, task: &Task, out: &mut Vec<u8>) {
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
        if row.kind == Kind::Page {
            session.page = Some(row.uri);
        }
    }
}

/// Date and hour as rows begin.
fn stamp(hour: Hour) -> String {
    let [year, month, day, hour] = hour.folders();
    format!("{year}-{month}-{day}\t{hour}:")
}
