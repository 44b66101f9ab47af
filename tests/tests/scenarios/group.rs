//! Partitions that are shared with other processes. What several of them do is for `make chaos`.

use testkit::{Employee, Reading, Setup, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real Kafka: make test-real"]
async fn a_member_of_a_group_processes_what_it_is_given() {
    let world = World::with(Setup { reading: Reading::Shared, ..Setup::default() }).await;
    let people = ["GROUP-1", "GROUP-2", "GROUP-3"].map(|id| Employee::new(id, "Ada", "Lovelace"));
    for person in &people {
        world.knows(person);
        world.hr().hires(person).await;
    }
    world.settle().await;
    for person in &people {
        world.hr().updates(&person.clone().with("title", "Analyst")).await;
    }
    world.settle().await;
    for person in &people {
        let user = world.user(person.id()).await;
        assert_eq!((user["version"].as_u64(), user["title"].as_str()), (Some(2), Some("Analyst")), "{user}");
    }
}
