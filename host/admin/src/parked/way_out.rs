//! What would make a message go on, for each code that it can rest for.
//!
//! The reason of a message says what is wrong with this one; here is what a person does about all
//! that rest for the same. A test holds the table to the codes in the source.

/// What would make a message of this code go on, as a sentence. A code that is not known, from a
/// newer host's journal, has a way out in its reason.
pub fn way_out(code: &str) -> &'static str {
    match code {
        "held" => "the role it is held for releases it: `cambist release ID --role ROLE`",
        "waiting" => {
            "it goes on by itself when what it waits for is delivered; where that never comes, `skip` it, or `edit` the \
             input so that it does not refer to it"
        }
        "invalid" => {
            "put the field right in the system it comes from and `cambist replay ID`, which reads it again; or `edit` \
             the input here"
        }
        "plugin-fault" | "plugin-trapped" | "plugin-answer" => {
            "the plugin's owner mends it; when the new one is live, `retry --live`"
        }
        "plugin-limit" => {
            "raise the limit of the binding, or let the plugin's owner make it cheaper; then `retry --live`"
        }
        "plugin-input" => "the plugin is of an older contract: build it anew, then `retry --live`",
        "plugin-killed" => {
            "what they are pinned to was taken out. Make a component of the plugin live: `cambist plugin back PLUGIN` for \
             the one before, or `cambist plugin live PLUGIN DIGEST`, of which `cambist plugin status PLUGIN` has the \
             digests; then send them on the live revisions: `cambist parked retry --code plugin-killed --all --live`"
        }
        "host" => "see the host's log and its disk; when that is mended, `retry`",
        "host-ended" => {
            "find what ended the host each time (its log, the system's log for memory; `parked show` names the stage and its \
             plugin) and mend that; then `retry`"
        }
        "no-route" => {
            "name the region or flow in the config, or the plugin that serves it; where its plugin was taken out or waits, make \
             a component live: `cambist plugin back PLUGIN`, or `cambist plugin live PLUGIN DIGEST`; then `cambist parked \
             retry --code no-route --all --live`; or put the object's region right with `edit`"
        }
        "unreadable" => "mend what sends it and have it sent again; then `skip` this one",
        "conflict" => "make the value the same on both sides, then `cambist replay ID`, which reads it again",
        "too-deep" => "make the object flatter where it comes from and `cambist replay ID`, or `edit` it",
        "journal" => "run the host that wrote it, or restore the journal from a copy; then `retry`",
        "attempts-spent" => "get the system to answer again, then `retry` all of them at once",
        "unreachable" | "no-answer" | "cut-off" | "busy" | "left-alone" | "contended" | "troubled" => {
            "get the system to answer again, then `retry`"
        }
        "strange-answer" | "no-database" => {
            "put the system's address right in the config, or what stands between, restart the host, then `retry`"
        }
        "too-large" => "name fewer fields to read in the config, or make the object smaller; then `retry`",
        "key-refused" => {
            "make a new key in the system and put it where the config's `key` points; then `retry`"
        }
        "not-allowed" => "give our user the right in the system, then `retry`",
        "gone" => "restore the object in its system and `retry`; if it is gone for good, `skip`",
        "refused" => {
            "the target says what it does not take: put it right there and `retry`, or in the source and `cambist \
             replay ID`, or `edit` the input here"
        }
        "misfit" => {
            "install the module or field that the target lacks, or have the mapping mended; then `retry`, for a new \
             mapping `retry --live`"
        }
        "wrong-state" => "bring the record in the target to the state that the reason names, then `retry`",
        "too-many" => "make several of the object in its system, then `cambist replay ID`",
        "unsupported" => {
            "name the kind's fields in the config or take its events out of the flow; then `skip`"
        }
        _ => "the reason says what is to be done; then `retry`",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::way_out;

    #[test]
    fn what_a_kill_switch_parked_is_told_which_commands_send_it_on() {
        for code in ["plugin-killed", "no-route"] {
            let way = way_out(code);
            let retry = format!("`cambist parked retry --code {code} --all --live`");
            for command in [
                "`cambist plugin back PLUGIN`",
                "`cambist plugin live PLUGIN DIGEST`",
                &retry,
            ] {
                assert!(way.contains(command), "{code}: {way}");
            }
            // the component comes first: a retry before it parks them again
            assert!(way.find("plugin back") < way.find("parked retry"), "{way}");
        }
    }

    /// The texts in quotes that a function of the source named `code` answers.
    fn answered(source: &'static str) -> BTreeSet<&'static str> {
        let body = source.split("fn code(&self) -> &'static str {").nth(1).unwrap();
        let body = body.split("\n    }\n").next().unwrap();
        let texts = body.split("=> \"").skip(1);
        texts.map(|text| text.split('"').next().unwrap()).collect()
    }

    /// The texts in quotes behind `code:` in the source.
    fn written(source: &'static str) -> BTreeSet<&'static str> {
        let texts = source.split("code: \"").skip(1);
        texts.map(|text| text.split('"').next().unwrap()).collect()
    }

    #[test]
    fn every_code_that_a_message_is_parked_for_has_a_way_out() {
        let mut codes = answered(include_str!("../../../pipeline/src/failure.rs"));
        assert!(codes.contains("invalid") && codes.len() > 8, "{codes:?}");
        let connect = answered(include_str!("../../../connect/src/error.rs"));
        assert!(connect.contains("refused") && connect.len() > 12, "{connect:?}");
        codes.extend(connect);
        let way = written(include_str!("../../../pipeline/src/way.rs"));
        assert!(way.contains("attempts-spent"), "{way:?}");
        codes.extend(way);
        let store = written(include_str!("../../../journal/src/store/sqlite.rs"));
        assert!(store.contains("journal"), "{store:?}");
        codes.extend(store);
        codes.extend(["held", "waiting"]);
        let without: Vec<_> = codes
            .iter()
            .filter(|code| way_out(code) == way_out("no such code"))
            .collect();
        assert!(without.is_empty(), "without a way out: {without:?}");
    }
}
