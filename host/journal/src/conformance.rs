//! The suite that every store must pass.
//!
//! Each case is a function that is given a way to open the store under test:
//! every call opens the same one, and the case has dropped what it opened before,
//! as a host that ends and starts again. The cases speak of promises only; what a
//! store does beyond them (files, locks, full disks) is tested beside the store.
//!
//! A store runs all of them by naming a macro that makes one test of one case:
//!
//! ```
//! macro_rules! case {
//!     ($group:ident, $case:ident) => {
//!         async fn $case() -> Result<(), cambist_journal::JournalError> {
//!             let dir = tempfile::tempdir().expect("a directory");
//!             let open = async || cambist_journal::store::SqliteJournal::open(dir.path().join("journal.db"));
//!             cambist_journal::conformance::$group::$case(open).await
//!         }
//!     };
//! }
//! cambist_journal::for_each_case!(case);
//! ```
//!
//! A case panics where a promise is broken, and answers the store's own errors.

pub mod beside;
pub mod chain;
pub mod claims;
pub mod erasure;
pub mod events;
mod kit;
pub mod order;
pub mod plugins;
pub mod receipt;
pub mod repair;
pub mod replays;
pub mod resume;
pub mod shadows;
pub mod views;
pub mod waiting;

/// Calls a macro once for each case, with the module and the function.
///
/// A new case is a function in one of the modules and a line here; then every
/// store has it.
#[macro_export]
macro_rules! for_each_case {
    ($case:ident) => {
        $case!(receipt, a_new_message_is_due_from_its_receipt);
        $case!(receipt, a_second_receipt_writes_nothing);
        $case!(receipt, a_batch_that_names_an_event_twice_takes_it_once);
        $case!(receipt, a_duplicate_is_known_after_a_restart);
        $case!(receipt, receipts_at_once_make_one_message);
        $case!(receipt, an_empty_batch_is_nothing);
        $case!(claims, the_longest_due_comes_first);
        $case!(claims, backlogs_take_turns);
        $case!(claims, what_is_not_routed_takes_turns_by_event_and_kind);
        $case!(claims, a_shut_backlog_is_passed_over);
        $case!(claims, nothing_is_handed_out_before_its_time);
        $case!(claims, a_claim_brings_all_that_happened);
        $case!(claims, a_claimed_message_is_nobody_elses);
        $case!(claims, a_claim_given_back_is_free);
        $case!(claims, what_is_put_off_is_not_handed_out_before_its_time);
        $case!(claims, work_keeps_a_claim_and_all_else_ends_it);
        $case!(claims, a_claim_does_not_outlive_the_host);
        $case!(claims, claimers_at_once_never_share_a_message);
        $case!(order, one_message_of_a_key_at_a_time);
        $case!(order, a_parked_message_holds_its_key_and_no_other);
        $case!(order, what_waits_behind_a_message_that_rests_is_told);
        $case!(order, what_waits_behind_a_message_that_rests_is_bounded);
        $case!(order, a_message_to_be_tried_again_holds_its_key);
        $case!(order, every_end_lets_the_next_one_go);
        $case!(order, a_resumed_end_goes_before_what_came_later);
        $case!(order, order_survives_a_restart);
        $case!(events, what_was_recorded_is_read_as_it_was_after_a_restart);
        $case!(events, a_status_is_what_the_events_come_to);
        $case!(events, a_list_of_events_is_written_whole_or_not_at_all);
        $case!(events, an_event_out_of_turn_is_refused);
        $case!(events, an_unknown_message_is_told);
        $case!(repair, causes_are_counted_with_the_oldest_of_each);
        $case!(repair, those_of_a_cause_are_listed_whatever_their_state);
        $case!(repair, a_skipped_message_lets_the_next_one_of_its_key_go);
        $case!(
            repair,
            an_edited_input_stands_behind_the_one_that_was_fetched
        );
        $case!(repair, a_record_leads_back_to_the_messages_that_touched_it);
        $case!(resume, a_release_needs_the_role_that_holds);
        $case!(resume, every_resting_state_can_be_resumed);
        $case!(resume, what_is_being_worked_on_is_not_resumed);
        $case!(resume, a_resume_goes_back_and_forgets_the_attempts);
        $case!(
            waiting,
            a_waiting_message_is_resumed_when_the_entity_is_done
        );
        $case!(waiting, another_entity_wakes_nobody);
        $case!(
            waiting,
            an_entity_that_came_since_the_claim_is_not_waited_for
        );
        $case!(
            waiting,
            an_entity_that_was_done_since_the_claim_is_not_waited_for
        );
        $case!(waiting, an_entity_from_before_the_claim_is_waited_for_again);
        $case!(waiting, a_message_does_not_wake_itself);
        $case!(views, a_list_is_newest_first_and_filtered);
        $case!(views, pages_follow_each_other);
        $case!(views, counts_follow_the_states);
        $case!(views, what_stands_in_each_backlog_follows_the_states);
        $case!(views, lag_is_that_of_the_message_longest_due);
        $case!(views, written_digests_are_the_last_of_each_record);
        $case!(views, what_a_dry_run_showed_was_not_written);
        $case!(views, a_link_is_the_targets_id_where_it_is_known);
        $case!(views, a_record_is_found_by_the_name_its_system_gave_it);
        $case!(
            views,
            what_was_told_is_kept_by_field_and_known_by_either_name
        );
        $case!(views, what_was_merged_is_the_other_one_by_all_its_names);
        $case!(beside, a_cursor_is_where_it_was_after_a_restart);
        $case!(beside, what_was_heard_is_kept_by_system_and_field);
        $case!(beside, the_last_report_of_each_period_is_kept);
        $case!(views, who_waits_for_work_is_told);
        $case!(erasure, what_was_said_is_gone_and_the_chain_holds);
        $case!(erasure, what_was_worked_out_of_it_is_gone_too);
        $case!(erasure, an_erasure_says_on_what_ground);
        $case!(erasure, payloads_go_first_and_the_rest_may_follow);
        $case!(
            erasure,
            an_erased_message_takes_nothing_and_is_not_received_again
        );
        $case!(erasure, what_has_not_ended_is_ended_only_if_asked);
        $case!(erasure, what_concerns_somebody_is_found);
        $case!(erasure, what_has_come_of_age_is_found_the_oldest_first);
        $case!(erasure, links_are_forgotten_by_a_decision);
        $case!(chain, an_empty_journal_has_zeros_for_a_head);
        $case!(chain, every_entry_follows_from_the_one_before);
        $case!(chain, a_restart_changes_nothing);
        $case!(plugins, steps_are_read_as_they_were_written_after_a_restart);
        $case!(plugins, steps_stand_between_the_entries_of_messages);
        $case!(plugins, a_message_is_pinned_until_it_ends);
        $case!(plugins, a_replay_is_pinned_to_what_it_uses);
        $case!(shadows, what_they_answered_is_counted_after_a_restart);
        $case!(shadows, a_message_that_is_compared_again_is_kept_once);
        $case!(shadows, what_is_kept_is_bounded_and_what_is_counted_is_not);
        $case!(shadows, they_are_no_entries_of_the_chain);
        $case!(replays, an_order_goes_on_after_a_restart);
        $case!(replays, a_stopped_order_is_not_begun_again);
        $case!(replays, what_is_kept_of_orders_is_bounded);
        $case!(replays, orders_are_no_entries_of_the_chain);
        $case!(replays, messages_are_chosen_by_what_is_wanted);
        $case!(replays, a_span_is_exact_to_the_nanosecond);
    };
}
