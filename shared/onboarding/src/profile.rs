//! What other systems read of a person: HR wins on what HR owns, and Okta supplies the rest.

use contracts::{
    Details, EmploymentStatus, EnrichedUser, Enrichment, EnrichmentState, Field, Missing, Text, Unasked,
    Value,
};

use crate::{directory::Account, person::Person};

impl Person {
    /// As other systems read them; `None` for somebody who was forgotten, or of whom nothing was said.
    pub fn user(&self) -> Option<EnrichedUser> {
        (!self.hr.is_empty()).then(|| user(self))
    }

    /// `None` for somebody who was forgotten, or of whom nothing was said.
    pub(crate) fn state(&self) -> Option<EnrichmentState> {
        (!self.hr.is_empty()).then(|| enrichment(self).state)
    }
}

fn user(person: &Person) -> EnrichedUser {
    let text = |field| person.hr.text(field).cloned();
    let email = |field| person.hr.value(field).and_then(Value::email).cloned();
    let date = |field| person.hr.value(field).and_then(Value::date);
    let account = person.account();
    let employment_status = person.hr.employment();
    EnrichedUser {
        id: person.id.clone(),
        name: name(person),
        email: email(Field::Email),
        // Okta's are usually copies of HR's, and stand in where HR sends none.
        title: text(Field::Title).or_else(|| text_of(account?.title.as_deref()?)),
        department: text(Field::Department).or_else(|| text_of(account?.department.as_deref()?)),
        // Okta's `manager` is free text, so there is nothing to fall back on.
        manager_email: email(Field::ManagerEmail),
        start_date: date(Field::StartDate),
        end_date: date(Field::EndDate),
        employment_status,
        status: text(Field::Status),
        onboarded: employment_status == EmploymentStatus::Employed && account.is_some_and(Account::is_active),
        okta_id: account.map(|account| account.id.clone()),
        okta_status: account.map(|account| account.status.clone()),
        groups: account.map_or_else(Vec::new, |account| account.groups.clone()),
        applications: account.map_or_else(Vec::new, |account| account.applications.clone()),
        details: Details {
            employment_type: text(Field::EmploymentType),
            location: text(Field::Location),
            office: text(Field::Office),
            country: person.hr.value(Field::Country).and_then(Value::country).cloned(),
            time_zone: person.hr.value(Field::TimeZone).and_then(Value::time_zone).cloned(),
            phone: text(Field::Phone),
            mobile: text(Field::Mobile),
            cost_center: text(Field::CostCenter),
            division: text(Field::Division),
            company: text(Field::Company),
            job_code: text(Field::JobCode),
            job_level: text(Field::JobLevel),
            personal_email: email(Field::PersonalEmail),
        },
        enrichment: enrichment(person),
        version: person.version,
        updated_at: person.updated_at,
        correlation_id: person.correlation_id.clone(),
    }
}

fn enrichment(person: &Person) -> Enrichment {
    let has_left = person.hr.employment() == EmploymentStatus::Terminated;
    let no_email = (!has_left && person.email().is_none()).then_some(Missing::Unasked(Unasked::NoEmail));
    let reason = person.okta.missing.map(Missing::Failed).or(no_email);
    let state = match reason {
        _ if has_left => EnrichmentState::Left,
        Some(_) => EnrichmentState::Pending,
        None => EnrichmentState::Complete,
    };
    let okta = &person.okta;
    Enrichment {
        state,
        reason,
        since: okta.since,
        next_attempt: okta.next_attempt.filter(|_| reason.is_some()),
    }
}

/// The preferred name as it is, or first and last name.
fn name(person: &Person) -> Option<Text> {
    if let Some(preferred) = person.hr.text(Field::PreferredName) {
        return Some(preferred.clone());
    }
    match (person.hr.text(Field::FirstName), person.hr.text(Field::LastName)) {
        // Together they may pass the length of one text: then the last name stands alone.
        (Some(first), Some(last)) => {
            text_of(&format!("{} {}", first.as_str(), last.as_str())).or_else(|| Some(last.clone()))
        }
        (first, last) => last.or(first).cloned(),
    }
}

/// Okta's fields are free text; what is no text to us is as good as absent.
fn text_of(value: &str) -> Option<Text> {
    Text::parse(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use contracts::{EnrichmentRequestedV2, EventType, Reason};

    use super::*;
    use crate::{
        converge::Answer,
        tests::{account, event, made_of, with},
    };

    fn user(event: &EnrichmentRequestedV2, answer: Answer) -> EnrichedUser {
        made_of(event, None, Some(answer)).person.user().unwrap()
    }

    fn active() -> Answer {
        Answer::Account(account("ACTIVE"))
    }

    #[test]
    fn the_whole_profile_of_a_new_hire() {
        insta::assert_json_snapshot!(user(&event(), active()));
    }

    #[test]
    fn hr_wins_on_what_hr_owns_and_okta_stands_in() {
        let known = user(&event(), active());
        assert_eq!(known.title.unwrap().as_str(), "Analyst");
        let mut said = event();
        for (field, value) in [
            (Field::PreferredName, "Countess of Lovelace"),
            (Field::Title, "Programmer"),
            (Field::Department, "Research"),
            (Field::ManagerEmail, "charles@acme.example"),
        ] {
            said = with(said, field, value);
        }
        let user = user(&said, active());
        assert_eq!(user.name.unwrap().as_str(), "Countess of Lovelace");
        assert_eq!(user.title.unwrap().as_str(), "Programmer");
        assert_eq!(user.department.unwrap().as_str(), "Research");
        assert_eq!(user.manager_email.unwrap().as_str(), "charles@acme.example");
    }

    #[test]
    fn only_an_employed_person_with_an_active_account_is_onboarded() {
        assert!(user(&event(), active()).onboarded);
        assert!(!user(&event(), Answer::Account(account("STAGED"))).onboarded);
        let mut left = event();
        left.event_type = EventType::Terminated;
        let user = user(&left, active());
        assert_eq!((user.onboarded, user.employment_status), (false, EmploymentStatus::Terminated));
    }

    #[test]
    fn a_person_is_pending_for_a_reason_complete_or_left() {
        let state = |event: &EnrichmentRequestedV2, answer| {
            let Enrichment { state, reason, .. } = user(event, answer).enrichment;
            (state, reason)
        };
        let failed = |reason| Some(Missing::Failed(reason));
        assert_eq!(state(&event(), active()), (EnrichmentState::Complete, None));
        let nobody = (EnrichmentState::Pending, failed(Reason::UserNotFound));
        assert_eq!(state(&event(), Answer::Nobody), nobody);
        let away = || Answer::None(Reason::OktaUnavailable);
        assert_eq!(state(&event(), away()), (EnrichmentState::Pending, failed(Reason::OktaUnavailable)));
        for (event_type, status) in [(EventType::Terminated, None), (EventType::Updated, Some("Terminated"))]
        {
            let mut left = event();
            left.event_type = event_type;
            if let Some(status) = status {
                left = with(left, Field::Status, status);
            }
            assert_eq!(state(&left, Answer::Nobody), (EnrichmentState::Left, None), "needs no account");
            assert_eq!(state(&left, away()), (EnrichmentState::Left, failed(Reason::OktaUnavailable)));
        }
    }

    #[test]
    fn somebody_of_whom_hr_sent_no_address_waits_for_one() {
        let mut patch = event();
        patch.event_type = EventType::Updated;
        patch.stated = [(Field::Title, Some(Field::Title.parse("Engineer").unwrap()))].into_iter().collect();
        let user = made_of(&patch, None, None).person.user().unwrap();
        assert_eq!((user.name, user.email, user.onboarded), (None, None, false));
        assert_eq!(user.enrichment.state, EnrichmentState::Pending);
        assert_eq!(serde_json::to_value(user.enrichment.reason).unwrap(), "no_email");
    }

    #[test]
    fn a_name_that_grows_too_long_is_the_last_name() {
        let long = with(event(), Field::FirstName, &"x".repeat(200));
        let long = with(long, Field::LastName, &"y".repeat(200));
        assert_eq!(user(&long, active()).name.unwrap().as_str(), "y".repeat(200));
    }
}
