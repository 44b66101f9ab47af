//! A claim is written with its holder, if it still is the one that was read.

use super::*;
use crate::claim::{Claim, ClaimChange};

fn change(account: &str, read: Option<&Claim>, new: Option<&Claim>) -> [ClaimChange; 1] {
    [ClaimChange { account: account.to_owned(), read: read.cloned(), new: new.cloned() }]
}

fn claim_of(person: &Person) -> Claim {
    Claim { holder: person.id.clone(), writes: person.writes }
}

async fn commit_claiming(
    store: &Store,
    written: &Written,
    read: Option<&Person>,
    claims: &[ClaimChange],
) -> Saved {
    let write = Write { new: &written.person, read, entry: Some(&written.entry), claims, facts: None };
    store.write(write).await.unwrap()
}

#[tokio::test]
async fn of_two_claims_of_one_account_the_second_is_refused_with_all_that_comes_with_it() {
    for store in stores().await {
        let fresh = Fresh::new();
        let (ada, bob) = (fresh.person("ada", None), fresh.person("bob", None));
        let account = format!("00u-{}", fresh.0);
        let [of_ada, of_bob] = [&ada, &bob].map(|written| claim_of(&written.person));
        assert_eq!(store.claim(&account).await.unwrap(), None, "{store:?}");
        let claims = change(&account, None, Some(&of_ada));
        assert_eq!(commit_claiming(&store, &ada, None, &claims).await, Saved::Yes, "{store:?}");
        let claims = change(&account, None, Some(&of_bob));
        assert_eq!(commit_claiming(&store, &bob, None, &claims).await, Saved::Conflict, "{store:?}");
        assert_eq!(store.claim(&account).await.unwrap().as_ref(), Some(&of_ada), "{store:?}");
        assert_eq!(store.person(&bob.person.id).await.unwrap(), None, "{store:?}");
        assert_eq!(store.entries(&bob.person.id).await.unwrap(), [], "{store:?}");

        let claims = change(&account, Some(&of_ada), Some(&of_bob));
        assert_eq!(
            commit_claiming(&store, &bob, None, &claims).await,
            Saved::Yes,
            "{store:?}: as it was read"
        );
        assert_eq!(store.claim(&account).await.unwrap(), Some(of_bob), "{store:?}");
        assert_eq!(store.entries(&ada.person.id).await.unwrap().len(), 1, "{store:?}: a claim is no entry");
    }
}

#[tokio::test]
async fn a_claim_that_its_holder_has_made_again_is_not_taken_by_who_read_it_before() {
    for store in stores().await {
        let fresh = Fresh::new();
        let (ada, bob) = (fresh.person("ada", None), fresh.person("bob", None));
        let account = format!("00u-{}", fresh.0);
        let (first, of_bob) = (claim_of(&ada.person), claim_of(&bob.person));
        commit_claiming(&store, &ada, None, &change(&account, None, Some(&first))).await;
        let back = moved(&ada.person, "back");
        let again = claim_of(&back.person);
        let claims = change(&account, Some(&first), Some(&again));
        assert_eq!(commit_claiming(&store, &back, Some(&ada.person), &claims).await, Saved::Yes);
        let claims = change(&account, Some(&first), Some(&of_bob));
        assert_eq!(commit_claiming(&store, &bob, None, &claims).await, Saved::Conflict, "{store:?}");
        assert_eq!(store.claim(&account).await.unwrap(), Some(again), "{store:?}");
    }
}

#[tokio::test]
async fn a_claim_that_was_given_up_is_free() {
    for store in stores().await {
        let fresh = Fresh::new();
        let (ada, bob) = (fresh.person("ada", None), fresh.person("bob", None));
        let account = format!("00u-{}", fresh.0);
        let (of_ada, of_bob) = (claim_of(&ada.person), claim_of(&bob.person));
        commit_claiming(&store, &ada, None, &change(&account, None, Some(&of_ada))).await;
        let gone = moved(&ada.person, "gone");
        let claims = change(&account, Some(&of_ada), None);
        assert_eq!(commit_claiming(&store, &gone, Some(&ada.person), &claims).await, Saved::Yes);
        assert_eq!(store.claim(&account).await.unwrap(), None, "{store:?}");
        let claims = change(&account, None, Some(&of_bob));
        assert_eq!(commit_claiming(&store, &bob, None, &claims).await, Saved::Yes, "{store:?}");
    }
}

#[tokio::test]
async fn a_person_who_is_not_as_they_were_read_claims_nothing() {
    for store in stores().await {
        let fresh = Fresh::new();
        let ada = fresh.person("ada", None);
        let account = format!("00u-{}", fresh.0);
        commit(&store, &ada, None).await;
        let claims = change(&account, None, Some(&claim_of(&ada.person)));
        assert_eq!(commit_claiming(&store, &ada, None, &claims).await, Saved::Conflict, "{store:?}");
        assert_eq!(store.claim(&account).await.unwrap(), None, "{store:?}");
    }
}
