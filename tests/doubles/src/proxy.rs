//! Stands between the host and a real system, and makes the way between them a bad one.
//!
//! It changes nothing of what either says; it loses, delays, repeats and breaks off, and gives the answers of other
//! proxies. A trouble is armed for the next request that a test describes, and happens once. What is not armed passes.

use std::{
    collections::VecDeque,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

use crate::server::{self, Request};

/// What goes wrong on the way, once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// The connection is closed, and the system has seen nothing.
    CutBefore,
    /// The connection is closed while the system is at it: it goes on alone.
    CutDuring,
    /// The connection is closed when the system has answered.
    CutAfter,
    /// Nothing comes and nothing is closed; the system has seen nothing.
    SilentBefore,
    /// Nothing comes and nothing is closed; the system has done it.
    SilentAfter,
    /// The system sees it when the client has given up waiting.
    Late,
    /// The answer comes so much later.
    Delayed(Duration),
    /// The system sees it twice at the same moment; the first answer counts.
    Twice,
    /// The system sees it again when the first was answered, as a network does that repeats itself.
    Again,
    /// The system has done it, and half of its answer comes.
    Truncated,
    /// The system has done it, and its answer comes in pieces with such a pause between them, for as long as the client
    /// listens.
    Trickled(Duration),
    /// A proxy answers with this status, and the system has seen nothing.
    Refused(u16),
    /// A proxy answers with this status, and the system has done it: it took longer than the proxy waits.
    GivenUp(u16),
    /// A login page answers with 200, and the system has seen nothing.
    Html,
    /// It is held for good before the system sees it.
    HeldBefore,
    /// It is held for good when the system has answered.
    HeldAfter,
}

/// A request that came by.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Vec<u8>,
    /// What went wrong with it, if anything.
    pub trouble: Option<Trouble>,
}

type Is = Box<dyn Fn(&Request) -> bool + Send + Sync>;

/// What is to go wrong, and what came by.
#[derive(Default)]
struct State {
    armed: Mutex<VecDeque<(Trouble, Is)>>,
    seen: Mutex<Vec<Seen>>,
    held: Notify,
    open: AtomicUsize,
}

/// A running proxy; it ends when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port before `upstream`, such as `http://127.0.0.1:8069`, which closes the connection after each
    /// answer.
    ///
    /// # Errors
    ///
    /// `upstream` is no address, or the machine has no free port.
    pub async fn start(upstream: &str) -> Result<Self> {
        let upstream: SocketAddr = upstream
            .trim_start_matches("http://")
            .parse()
            .context("no address")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    state.open.fetch_add(1, Ordering::SeqCst);
                    // a connection that breaks is the client's to judge
                    let _ = serve(client, upstream, &state).await;
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, state, task })
    }

    /// Its address, as a config names it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request that `is` says yes to has this trouble. Of several armed ones that fit the oldest happens.
    pub fn arm(&self, trouble: Trouble, is: impl Fn(&Request) -> bool + Send + Sync + 'static) {
        locked(&self.state.armed).push_back((trouble, Box::new(is)));
    }

    /// How many troubles are still to happen.
    pub fn armed(&self) -> usize {
        locked(&self.state.armed).len()
    }

    /// Nothing that is armed happens any more.
    pub fn disarm(&self) {
        locked(&self.state.armed).clear();
    }

    /// All that came by, in the order in which it came.
    pub fn seen(&self) -> Vec<Seen> {
        locked(&self.state.seen).clone()
    }

    /// Returns when a request is held.
    pub async fn held(&self) {
        self.state.held.notified().await;
    }

    /// How many requests are under way, those among them whose client has gone.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// What goes wrong with a request; it is remembered.
    fn take(&self, request: &Request) -> Option<Trouble> {
        let mut armed = locked(&self.armed);
        let place = armed.iter().position(|(_, is)| is(request));
        let trouble = place
            .and_then(|place| armed.remove(place))
            .map(|(trouble, _)| trouble);
        locked(&self.seen).push(Seen {
            path: request.path.clone(),
            body: request.body.clone(),
            trouble,
        });
        trouble
    }
}

async fn serve(mut client: TcpStream, upstream: SocketAddr, state: &State) -> Result<()> {
    let request = server::read(&mut client).await?;
    let trouble = state.take(&request);
    match trouble {
        None => {
            let answer = forward(upstream, &request).await?;
            give(&mut client, &answer).await
        }
        Some(Trouble::CutBefore) => Ok(()),
        Some(Trouble::CutDuring) => {
            let system = hand_over(upstream, &request).await?;
            drop(client);
            finish(system).await.map(drop)
        }
        Some(Trouble::CutAfter) => forward(upstream, &request).await.map(drop),
        Some(Trouble::SilentBefore) => gone(&mut client).await,
        Some(Trouble::SilentAfter) => {
            forward(upstream, &request).await?;
            gone(&mut client).await
        }
        Some(Trouble::Late) => {
            gone(&mut client).await?;
            forward(upstream, &request).await.map(drop)
        }
        Some(Trouble::Delayed(wait)) => {
            let answer = forward(upstream, &request).await?;
            tokio::time::sleep(wait).await;
            give(&mut client, &answer).await
        }
        Some(Trouble::Twice) => {
            let (answer, _) = tokio::join!(forward(upstream, &request), forward(upstream, &request));
            give(&mut client, &answer?).await
        }
        Some(Trouble::Again) => {
            let answer = forward(upstream, &request).await?;
            forward(upstream, &request).await?;
            give(&mut client, &answer).await
        }
        Some(Trouble::Truncated) => {
            let answer = forward(upstream, &request).await?;
            let (head, body) = answer.split_at(body_of(&answer));
            client.write_all(head).await?;
            give(&mut client, body.get(..body.len() / 2).unwrap_or_default()).await
        }
        Some(Trouble::Trickled(pause)) => {
            let answer = forward(upstream, &request).await?;
            for piece in answer.chunks(16) {
                client.write_all(piece).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(client.shutdown().await?)
        }
        Some(Trouble::Refused(status)) => give(&mut client, &page(status)).await,
        Some(Trouble::GivenUp(status)) => {
            forward(upstream, &request).await?;
            give(&mut client, &page(status)).await
        }
        Some(Trouble::Html) => give(&mut client, &page(200)).await,
        Some(Trouble::HeldBefore) => {
            state.held.notify_one();
            gone(&mut client).await
        }
        Some(Trouble::HeldAfter) => {
            forward(upstream, &request).await?;
            state.held.notify_one();
            gone(&mut client).await
        }
    }
}

/// Sends the request on, and waits for all of the answer.
async fn forward(upstream: SocketAddr, request: &Request) -> Result<Vec<u8>> {
    finish(hand_over(upstream, request).await?).await
}

/// Sends the request on.
async fn hand_over(upstream: SocketAddr, request: &Request) -> Result<TcpStream> {
    let mut system = TcpStream::connect(upstream).await?;
    let query = if request.query.is_empty() { "" } else { "?" };
    let mut head = format!(
        "{} {}{query}{} HTTP/1.1\r\n",
        request.method, request.path, request.query
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    system.write_all(format!("{head}\r\n").as_bytes()).await?;
    system.write_all(&request.body).await?;
    Ok(system)
}

async fn finish(mut system: TcpStream) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    system.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn give(client: &mut TcpStream, answer: &[u8]) -> Result<()> {
    client.write_all(answer).await?;
    Ok(client.shutdown().await?)
}

/// Returns when the client has given up, which closes the connection.
async fn gone(client: &mut TcpStream) -> Result<()> {
    while client.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

/// Where an answer's body begins.
fn body_of(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(answer.len(), |end| end + 4)
}

/// What a proxy says in the system's place.
fn page(status: u16) -> Vec<u8> {
    let body = "<html><body>somebody between you and the system</body></html>";
    format!(
        "HTTP/1.1 {status} -\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
