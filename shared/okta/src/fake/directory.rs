use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use runtime::Clock;
use tokio::time::Instant;

use super::{
    Behaviour, Fault, Person, company, tag,
    traffic::{Standing, Traffic},
};

/// An Okta org's people. Clones share them.
#[derive(Clone)]
pub struct Directory {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

struct State {
    people: BTreeMap<String, Entry>,
    behaviour: Behaviour,
    traffic: Traffic,
}

struct Entry {
    person: Person,
    changed_at: Instant,
    /// What `search` sees until the change has reached its index; `None` for a new person.
    before: Option<Person>,
}

impl Directory {
    /// Nobody. The clock says the time in the answers' headers; waiting is real.
    pub fn empty(clock: Clock) -> Self {
        let state =
            State { people: BTreeMap::new(), behaviour: Behaviour::default(), traffic: Traffic::new(now()) };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// A company of 300 people, whom `search` finds at once. The same seed gives the same company.
    pub fn company(seed: u64, clock: Clock) -> Self {
        let directory = Self::empty(clock);
        let changed_at = now();
        let entry =
            |person: Person| (person.id.clone(), Entry { before: Some(person.clone()), person, changed_at });
        directory.state().people = company::people(seed).into_iter().map(entry).collect();
        directory
    }

    /// Everybody, by id.
    pub fn people(&self) -> Vec<Person> {
        self.select(|entry| Some(&entry.person))
    }

    /// Adds a person, in the place of one with the same id. `search` sees them later.
    pub fn add(&self, person: Person) {
        let entry = Entry { before: None, changed_at: now(), person };
        self.state().people.insert(entry.person.id.clone(), entry);
    }

    /// Changes a person, and says whether there is one. `search` sees the change later. An id never changes.
    /// `change` must not call the directory, which is locked meanwhile.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Person)) -> bool {
        let mut state = self.state();
        let lag = state.behaviour.search_lag;
        let Some(entry) = state.people.get_mut(id) else { return false };
        entry.before = entry.indexed(lag).cloned();
        entry.changed_at = now();
        change(&mut entry.person);
        id.clone_into(&mut entry.person.id);
        true
    }

    /// Deletes a person, for `search` too, and says whether there was one.
    pub fn remove(&self, id: &str) -> bool {
        self.state().people.remove(id).is_some()
    }

    pub fn behaviour(&self) -> Behaviour {
        self.state().behaviour
    }

    /// From the next request on.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// Lets the next request with the right token fail; called again, the one after it.
    pub fn fail_next(&self, fault: Fault) {
        self.state().traffic.fail_next(fault);
    }

    /// Takes back what [`fail_next`](Self::fail_next) was told and no request has met yet.
    pub fn fail_no_more(&self) {
        self.state().traffic.fail_no_more();
    }

    /// Lets every look-up by this login fail, until it is called with `None`.
    pub fn fail_look_ups_of(&self, login: &str, fault: Option<Fault>) {
        self.state().traffic.fail_look_ups_of(login, fault);
    }

    /// How many requests there were, refused ones included.
    pub fn requests(&self) -> u64 {
        self.state().traffic.requests()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn find(&self, id_or_login: &str) -> Option<Person> {
        self.find_one(id_or_login).or_else(|| {
            let (plain, tag) = self.tag_of(id_or_login)?;
            Some(self.find_one(&plain)?.tagged(tag))
        })
    }

    /// Where there are people with tags.
    fn tag_of(&self, tagged: &str) -> Option<(String, usize)> {
        tag::apart(tagged).filter(|_| self.behaviour().tagged_people)
    }

    fn find_one(&self, id_or_login: &str) -> Option<Person> {
        let state = self.state();
        let by_id = state.people.get(id_or_login);
        let entry = by_id.or_else(|| {
            state.people.values().find(|entry| entry.person.login.eq_ignore_ascii_case(id_or_login))
        })?;
        Some(entry.person.clone())
    }

    pub(super) fn filter_by_email(&self, email: &str) -> Vec<Person> {
        self.with_address(email, |email| {
            self.select(|entry| Some(&entry.person).filter(|person| person.email == email))
        })
    }

    fn with_address(&self, email: &str, select: impl Fn(&str) -> Vec<Person>) -> Vec<Person> {
        match self.tag_of(email) {
            Some((plain, tag)) => select(&plain).iter().map(|person| person.tagged(tag)).collect(),
            None => select(email),
        }
    }

    pub(super) fn search_by_email(&self, email: &str) -> Vec<Person> {
        let lag = self.behaviour().search_lag;
        self.with_address(email, |email| {
            self.select(|entry| entry.indexed(lag).filter(|person| person.email.eq_ignore_ascii_case(email)))
        })
    }

    pub(super) fn arrive(&self) {
        self.state().traffic.arrive();
    }

    /// Begins a request; it ends when the guard is dropped, by the client's going away too.
    pub(super) fn enter(&self, path: &str) -> (InFlight, Option<Fault>) {
        let state = &mut *self.state();
        let fault = state.traffic.enter(&state.behaviour, now());
        (InFlight(self.clone()), fault.or(state.traffic.lasting_fault(path)))
    }

    pub(super) fn standing(&self) -> Standing {
        let state = &mut *self.state();
        state.traffic.standing(&state.behaviour, now())
    }

    fn select(&self, choose: impl Fn(&Entry) -> Option<&Person>) -> Vec<Person> {
        self.state().people.values().filter_map(choose).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics in `update` leaves a person half changed, which is nobody else's problem.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn indexed(&self, lag: Duration) -> Option<&Person> {
        if self.changed_at.elapsed() >= lag { Some(&self.person) } else { self.before.as_ref() }
    }
}

#[must_use]
pub(super) struct InFlight(Directory);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.state().traffic.leave();
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Directory").field("people", &state.people.len()).finish_non_exhaustive()
    }
}

fn now() -> Instant {
    Instant::now()
}
