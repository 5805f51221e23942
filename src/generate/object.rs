//! One object: its header and its rows, as its source and its delivery write them.

use super::alb;
use super::draw::Dice;
use super::exchange::Exchange;
use super::layout::{Layout, Source, Vended, vended_key};
use super::plan::Task;
use super::row::{FIELDS, Frame};
use super::sessions::Sessions;
use super::sites::World;
use super::uris::Kind;
use crate::error::Result;
use crate::kernel::source::parse::ALB_FIELDS;
use crate::kernel::source::parse::values::Clock;
use crate::model::Hour;

/// Writes an object's bytes, not yet compressed, over what `out` held; its key.
pub(super) fn write(
    world: &World,
    task: &Task,
    (source, layout): (Source, Layout),
    out: &mut Vec<u8>,
) -> Result<String> {
    let id = &world.sites[task.site].id;
    match source {
        Source::Cloudfront => {
            write_text(world, task, out);
            if layout != Layout::Classic {
                *out = vend(layout, out)?;
            }
            Ok(vended_key(source, layout, task, id))
        }
        Source::Alb => {
            let frame = alb::Frame::new(world, task);
            write_alb(world, task, &frame, layout, out)?;
            Ok(if layout == Layout::Classic { frame.key(task.seed) } else { vended_key(source, layout, task, id) })
        }
    }
}

/// The names of the fields of a source in a layout, in their order.
pub(super) fn field_names(source: Source, layout: Layout) -> Vec<String> {
    match (source, layout) {
        (Source::Cloudfront, Layout::Json) => {
            let mut names: Vec<String> = FIELDS.split(' ').map(str::to_owned).collect();
            names.splice(..2, ["timestamp(ms)".to_owned()]);
            names.reverse();
            names
        }
        (Source::Cloudfront, _) => FIELDS.split(' ').map(str::to_owned).collect(),
        // The same fields under the names that the delivery service gives them.
        (Source::Alb, _) => ALB_FIELDS
            .map(|name| match name {
                "request" => "request_line".to_owned(),
                other => other.replace(':', "_"),
            })
            .to_vec(),
    }
}

/// A text of version 1 in another layout. JSON tells the time in milliseconds, and the fields in
/// another order.
fn vend(layout: Layout, text: &[u8]) -> Result<Vec<u8>> {
    let milliseconds = layout == Layout::Json;
    let mut vended = Vended::new(layout, field_names(Source::Cloudfront, layout));
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

fn write_alb(world: &World, task: &Task, frame: &alb::Frame<'_>, layout: Layout, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    let mut vended = Vended::new(layout, field_names(Source::Alb, layout));
    let dice = &mut Dice::of(&[task.seed]);
    let (mut sessions, mut values) = (Sessions::default(), alb::Values::default());
    for _ in 0..task.rows {
        let session = sessions.next(world, dice);
        let row = Exchange::draw(world, &world.sites[task.site], session, dice);
        frame.fill(&mut values, session, &row, dice);
        if layout == Layout::Classic {
            alb::push_line(out, &values);
        } else {
            vended.push(values.iter());
        }
    }
    if layout != Layout::Classic {
        *out = vended.finish()?;
    }
    Ok(())
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
