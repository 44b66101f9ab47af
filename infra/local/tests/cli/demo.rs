use std::collections::BTreeMap;

use crate::running::dev;

#[test]
fn a_demo_shows_what_becomes_of_each_person_and_counts_them() {
    let mut dev = dev().with(&["--demo", "30"]).ready();
    let before = dev.said().len();
    dev.says("From the request to the enriched user: ");
    let shown = dev.said()[before..].to_vec();
    dev.stops();

    assert!(shown[0].starts_with("EMPLOYEE") && shown[0].ends_with("STATE"), "{shown:#?}");
    let summary = shown.iter().position(|line| line.starts_with("30 people in ")).unwrap();
    let mut rows = BTreeMap::new();
    let mut counted = BTreeMap::<_, usize>::new();
    for row in shown[1..summary].iter().filter(|row| !row.is_empty()) {
        let (person, state) = row.split_once(" ms  ").unwrap();
        rows.insert(person.split_whitespace().next().unwrap(), state);
        *counted.entry(state).or_default() += 1;
    }
    let everybody: Vec<_> = (1..=30).map(|number| format!("E{number:04}")).collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), everybody);
    let strangers: Vec<_> = rows.iter().filter(|(_, state)| **state != "enriched").collect();
    let letter = &"dead letter: user_not_found";
    assert_eq!(strangers, [(&"E0010", letter), (&"E0020", letter), (&"E0030", letter)]);

    let counts = shown[summary + 1..].iter().map_while(|line| line.trim().split_once("  "));
    let counts: BTreeMap<_, usize> = counts.map(|(count, state)| (state, count.parse().unwrap())).collect();
    assert_eq!(counts, BTreeMap::from([("dead letter: user_not_found", 3), ("enriched", 27)]));
    assert_eq!(counts, counted, "the summary counts the rows, one a person");
}
