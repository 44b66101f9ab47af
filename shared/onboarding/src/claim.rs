//! An Okta account is one person's. Whoever gets it claims it, in the transaction that gives it to them: of two who ask
//! Okta at once one has it then, and the other finds that it is taken.

use contracts::EmployeeId;
use serde::{Deserialize, Serialize};

use crate::{
    converge::Draft,
    directory::Account,
    person::Person,
    store::{Error, Store},
};

/// Who was given an account last. Whether they still have it says what is stored of them: to leave costs no write here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) holder: EmployeeId,
    /// The holder's count of writes then. Whoever gets an account back makes another claim: so it isn't taken by somebody
    /// who has seen them without it.
    pub(crate) writes: u64,
}

/// A claim that is made or given up, if the account's still is the one that was read.
#[derive(Debug)]
pub(crate) struct ClaimChange {
    pub(crate) account: String,
    pub(crate) read: Option<Claim>,
    pub(crate) new: Option<Claim>,
}

/// Whether somebody may have an account.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Another who is employed has it.
    Taken,
    /// They have it, and have claimed it.
    Theirs,
    /// Nobody has it. With the claim that was read, which another may have left behind.
    Free(Option<Claim>),
}

/// How the person of `draft` stands to the account which Okta names.
pub(crate) async fn standing(store: &Store, account: &Account, draft: &Draft) -> Result<Standing, Error> {
    let person = draft.person();
    let has_it = |other: &Person| other.id != person.id && other.holds(account);
    let claim = store.claim(&account.id).await?;
    if let Some(claim) = &claim {
        if claim.holder == person.id && draft.held(account) {
            return Ok(Standing::Theirs);
        }
        if store.person(&claim.holder).await?.is_some_and(|holder| has_it(&holder)) {
            return Ok(Standing::Taken);
        }
    }
    // Who was stored before there were claims has made none.
    let namesakes = match person.email() {
        Some(email) => store.employed_with(email).await?,
        None => Vec::new(),
    };
    Ok(if namesakes.iter().any(has_it) { Standing::Taken } else { Standing::Free(claim) })
}

/// What is to be written with `new`. `standing` is that to the account which Okta named, if it named one.
pub(crate) async fn changes(
    store: &Store,
    new: &Person,
    read: Option<&Person>,
    standing: Option<Standing>,
) -> Result<Vec<ClaimChange>, Error> {
    let mut changes = Vec::new();
    if let Some(former) = read.and_then(Person::account)
        && new.account().is_none_or(|account| account.id != former.id)
        && let Some(claim) = store.claim(&former.id).await?
        && claim.holder == new.id
    {
        changes.push(ClaimChange { account: former.id.clone(), read: Some(claim), new: None });
    }
    if let Some(Standing::Free(claim)) = standing
        && let Some(account) = new.account()
        && new.holds(account)
    {
        let made = Claim { holder: new.id.clone(), writes: new.writes };
        changes.push(ClaimChange { account: account.id.clone(), read: claim, new: Some(made) });
    }
    Ok(changes)
}
