use std::{
    collections::HashMap,
    io::{self, IsTerminal, Write},
    pin::pin,
    time::Duration,
};

use dlq::{Filter, LetterState};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Session,
    api::{Call, Error, is_cut},
    letter::{self, Letter},
};
use crate::{
    cli::dead_letters::WatchArgs,
    interrupt::interrupted,
    table::{Cell, Column, Columns},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1500);

/// So many of the newest letters are looked at; those before them have waited long, and `list` has them.
const WINDOW: usize = 100;

/// What is known of the letters.
struct Watch<'a> {
    session: &'a Session,
    filter: Filter,
    /// Also when a letter comes to this state or leaves it.
    state: Option<LetterState>,
    known: HashMap<String, (LetterState, u32)>,
    columns: Columns<6>,
}

/// A letter that is new, or not what it was.
struct News {
    letter: Letter,
    was: Option<LetterState>,
    json: Value,
}

pub(super) async fn run(session: &Session, args: &WatchArgs) -> anyhow::Result<()> {
    let mut stop = pin!(interrupted()?);
    let mut filter = args.filter.filter(session.clock.now());
    let state = filter.state.take();
    let columns = Columns::new([
        Column::left("WHEN", 8),
        Column::left("ID", 32),
        Column::left("EMPLOYEE", 8),
        Column::left("STATE", 21),
        Column::left("REASON", 15),
        Column::left("MESSAGE", 0),
    ]);
    let mut watch = Watch { session, filter, state, known: HashMap::new(), columns };
    let letters = watch.look(false).await?;
    session.say(&format!("Watching the newest {WINDOW} letters of {}. Ctrl-C ends.", session.api.shown()))?;
    session.say(&watch.columns.heading())?;
    for there in watch.news(letters).iter().filter(|there| !there.letter.state.is_over()) {
        let state = there.letter.state.name();
        watch.tell(there, there.letter.parked_at, state)?;
    }
    let mut away = false;
    loop {
        let look = async {
            sleep(PAUSE).await;
            watch.look(true).await
        };
        let looked = tokio::select! {
            looked = look => looked,
            () = &mut stop => break,
        };
        match looked {
            Ok(letters) => {
                away = false;
                for news in watch.news(letters) {
                    watch.tell(&news, session.clock.now(), &news.text())?;
                }
            }
            Err(error) if error.passes() => {
                if !away {
                    eprintln!("joiner: {error}; still watching");
                }
                away = true;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if io::stdout().is_terminal() {
        println!();
    }
    Ok(())
}

impl Watch<'_> {
    /// The newest letters, the oldest first; more than usual while all of them are news.
    async fn look(&self, begun: bool) -> Result<Vec<(Letter, Value)>, Error> {
        let api = &self.session.api;
        let mut most = WINDOW;
        loop {
            let call = Call::get(["dead-letters"]).filter(&self.filter);
            let answer = api.pages(call, "dead_letters", most, |_| {}).await?;
            let letters: Vec<Letter> = api.read(&answer["dead_letters"])?;
            let all_new = !letters.iter().any(|letter| self.known.contains_key(&letter.id));
            if begun && all_new && is_cut(&answer) {
                most *= 4;
                continue;
            }
            let each = answer["dead_letters"].as_array().cloned().unwrap_or_default();
            return Ok(letters.into_iter().zip(each).rev().collect());
        }
    }

    fn news(&mut self, letters: Vec<(Letter, Value)>) -> Vec<News> {
        let mut news = Vec::new();
        for (letter, json) in letters {
            let now = (letter.state, letter.redrives);
            let before = self.known.insert(letter.id.clone(), now);
            let was = before.map(|(state, _)| state);
            let wanted = self.state.is_none_or(|state| letter.state == state || was == Some(state));
            if before != Some(now) && wanted {
                news.push(News { letter, was, json });
            }
        }
        news
    }

    fn tell(&self, news: &News, when: Timestamp, text: &str) -> anyhow::Result<()> {
        let News { letter, was, json } = news;
        let mut out = io::stdout().lock();
        if self.session.json {
            let was = was.map(LetterState::name);
            writeln!(out, "{}", json!({ "was": was, "dead_letter": json }))?;
            return Ok(out.flush()?);
        }
        let cells = [
            Cell::from(when.strftime("%H:%M:%S").to_string()),
            letter.id.as_str().into(),
            letter.employee_id.as_deref().unwrap_or("-").into(),
            letter::state(letter.state).saying(text),
            letter.reason.as_str().into(),
            Cell::dim(letter.message.as_str()),
        ];
        writeln!(out, "{}", self.columns.line(&cells))?;
        Ok(out.flush()?)
    }
}

impl News {
    fn text(&self) -> String {
        let now = self.letter.state.name();
        match self.was {
            // It has been on its way and come back since the last look.
            Some(was) if was == self.letter.state => format!("{now} again"),
            Some(was) => format!("{} > {now}", was.name()),
            None => format!("new, {now}"),
        }
    }
}
