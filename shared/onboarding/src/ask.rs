//! Asks Okta for one person, in as few round trips as it takes.

use breaker::Permit;
use contracts::Email;
use okta::{Client, Error};
use tokio::time::Instant;

use crate::{
    directory::Account,
    retry::{Exhausted, RetryPolicy},
};

/// `None` is somebody whom Okta doesn't know. `permit` is the breaker's, where it stands before the question.
pub(crate) async fn account(
    okta: &Client,
    email: &Email,
    retry: RetryPolicy,
    give_up: Instant,
    permit: Option<&Permit>,
) -> Result<Option<Account>, Exhausted> {
    let account = look_up(okta, email, retry, give_up, permit).await?;
    if let Some(permit) = permit {
        permit.succeeded().await;
    }
    Ok(account)
}

/// Most people's login is their e-mail address, by which Okta also gives groups and applications: so all three are asked
/// for at once, and only who isn't found so is looked for further.
async fn look_up(
    okta: &Client,
    email: &Email,
    retry: RetryPolicy,
    give_up: Instant,
    permit: Option<&Permit>,
) -> Result<Option<Account>, Exhausted> {
    let login = email.as_str();
    // What is asked for beside gets one attempt: if it fails, it is asked for again once it is known whose it is.
    let (by_login, groups, apps) = tokio::join!(
        retry.run(give_up, permit, || okta.user_with_login(login)),
        okta.groups(login),
        okta.app_links(login),
    );
    let by_login = by_login?;
    let user = match by_login {
        Some(user) if !user.is_deprovisioned() => user,
        // A rehire may have a new account with the same address beside the old one.
        former => {
            let found = retry.run(give_up, permit, || okta.user_with_address(login)).await?;
            match found.filter(|found| former.is_none() || !found.is_deprovisioned()).or(former) {
                Some(user) => user,
                None => return Ok(None),
            }
        }
    };
    let are_theirs = user.profile.login.eq_ignore_ascii_case(login);
    let (groups, apps) = tokio::try_join!(
        asked_once(groups, are_theirs, || retry.run(give_up, permit, || okta.groups(&user.id))),
        asked_once(apps, are_theirs, || retry.run(give_up, permit, || okta.app_links(&user.id))),
    )?;
    Ok(Some(Account::new(user, groups, apps)))
}

/// What was asked for by login, if it was answered and is the account's.
async fn asked_once<T, F>(
    by_login: Result<T, Error>,
    is_theirs: bool,
    by_id: impl FnOnce() -> F,
) -> Result<T, Exhausted>
where
    F: Future<Output = Result<T, Exhausted>>,
{
    match by_login {
        Ok(answer) if is_theirs => Ok(answer),
        _ => by_id().await,
    }
}
