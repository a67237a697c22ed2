//! The report, for people.

use comfy_table::{CellAlignment, Table, presets};

use crate::{
    Report, accept, file,
    mapping::{self, Side},
    neighbours, way,
};

/// All of it, as text.
pub(crate) fn of(report: &Report) -> String {
    let mapping = (!report.mapping.is_empty()).then(|| mapping(&report.mapping));
    let file = (!report.file.is_empty()).then(|| file(&report.file));
    let accept = report.accept.as_ref().map(accept);
    let way = report.way.as_ref().map(way);
    let neighbours = report.neighbours.as_ref().map(neighbours);
    let tables: Vec<String> = [mapping, file, accept, way, neighbours]
        .into_iter()
        .flatten()
        .map(|table| table.to_string())
        .collect();
    tables.join("\n\n")
}

fn mapping(messages: &[mapping::Measured]) -> Table {
    let mut table = plain([
        "microseconds of processor time",
        "bare",
        "native",
        "sandboxed",
        "kept",
        "of native",
        "kept of it",
        "of bare",
        "fuel",
    ]);
    for message in messages {
        for (what, side) in [
            ("read", message.read),
            ("write", message.write),
            ("mapping", message.mapping),
        ] {
            table.add_row(row(
                &format!("{what} of {}, {} bytes", message.message, message.bytes),
                side,
            ));
        }
    }
    table
}

fn file(messages: &[file::Measured]) -> Table {
    let mut table = plain([
        "the file's read, microseconds of processor time",
        "fresh",
        "kept",
        "of fresh",
    ]);
    for measured in messages {
        table.add_row([
            measured.message.clone(),
            format!("{:.0}", measured.fresh_us),
            format!("{:.0}", measured.kept_us),
            format!("{:.2}", measured.ratio),
        ]);
    }
    table
}

fn accept(accept: &accept::Measured) -> Table {
    let mut table = plain(["webhooks accepted in a second", "", "of syncs"]);
    table.add_row([
        format!("fdatasync of {} bytes, in a loop", accept.bytes),
        format!("{:.0}", accept.syncs_per_second),
        "1.00".to_owned(),
    ]);
    for rated in &accept.callers {
        table.add_row([
            format!("{} callers", rated.callers),
            format!("{:.0}", rated.per_second),
            format!("{:.2}", rated.ratio),
        ]);
    }
    table
}

fn way(way: &way::Measured) -> Table {
    let mut table = plain(["the whole way, microseconds", "", "share"]);
    let mut part = |what: &str, time: f64| {
        table.add_row([
            what.to_owned(),
            format!("{time:.0}"),
            format!("{:.0} %", 100.0 * time / way.alone_us),
        ]);
    };
    part("one message alone, webhook to receipt", way.alone_us);
    part("  until its sender has the 202", way.accepted_us);
    for stage in &way.stages {
        part(&format!("  {}", stage.stage), stage.us);
    }
    part("  commits between the stages, and waiting", way.rest_us);
    part("its commits as bare fdatasyncs", way.syncs_us);
    part("many at once, each: wall clock", way.together_us);
    part("many at once, each: processor time", way.together_cpu_us);
    table
}

fn neighbours(measured: &neighbours::Measured) -> Table {
    let mut table = plain(["a message's whole way, microseconds", "median", "p99", "of quiet"]);
    for (what, taken, factor) in [
        ("the neighbour is quiet", measured.quiet, 1.0),
        (
            "its plugin loops at every message",
            measured.beside,
            measured.p99_factor,
        ),
    ] {
        table.add_row([
            what.to_owned(),
            format!("{:.0}", taken.median_us),
            format!("{:.0}", taken.p99_us),
            format!("{factor:.2}"),
        ]);
    }
    table
}

fn row(what: &str, side: Side) -> [String; 9] {
    [
        what.to_owned(),
        format!("{:.1}", side.bare_us),
        format!("{:.1}", side.native_us),
        format!("{:.1}", side.sandboxed_us),
        format!("{:.1}", side.kept_us),
        format!("{:.2}", side.ratio),
        format!("{:.2}", side.kept_ratio),
        format!("{:.2}", side.bare_ratio),
        side.fuel.to_string(),
    ]
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
