//! The topics of `contracts` are those of `template.yaml`.

use std::collections::BTreeSet;

use contracts::FailedTopic;
use lambda::Function as _;
use scenarios::functions;

#[test]
fn the_reprocessor_is_triggered_by_each_failed_topic_and_by_no_other() {
    let functions = functions();
    let reprocessor = functions.iter().find(|function| function.name == dlq_reprocessor::Function::NAME);
    let triggers = &reprocessor.unwrap().triggers;
    let topics: BTreeSet<_> = triggers.iter().map(|trigger| trigger.topic.as_str()).collect();
    assert_eq!(topics, FailedTopic::ALL.map(|failed| failed.name).into());
    assert!(triggers.iter().all(|trigger| trigger.on_failure.is_none()), "there is no place further back");
}

#[test]
fn what_lambda_gives_up_of_a_source_goes_to_its_failed_topic() {
    let triggers: Vec<_> = functions().into_iter().flat_map(|function| function.triggers).collect();
    for failed in FailedTopic::ALL {
        let of_source: Vec<_> = triggers.iter().filter(|trigger| trigger.topic == failed.source).collect();
        assert!(!of_source.is_empty(), "no function reads {}", failed.source);
        for trigger in of_source {
            assert_eq!(trigger.on_failure.as_deref(), Some(failed.name), "{}", failed.source);
        }
    }
}
