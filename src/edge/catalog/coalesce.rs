//! Gathers what many ask for at the same time into few calls: while one call is under way, the next
//! one's entries collect.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};

use super::interface::Publication;
use crate::edge::clock;
use crate::model::Partition;

/// A publication on its way into a call that begins no later than `until`.
#[derive(Clone, Debug)]
pub(super) struct PublishRequest {
    pub(super) publication: Publication,
    pub(super) until: Duration,
}

/// A withdrawal on its way into a call that begins no later than `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct WithdrawRequest {
    pub(super) partition: Partition,
    pub(super) until: Duration,
}

/// What may still be withdrawn by a call that begins now: places in the list, one for each
/// partition, since a call that names one twice may be refused as a whole.
pub(super) fn in_time(wanted: &[WithdrawRequest]) -> Vec<usize> {
    let (now, mut sent): (_, Vec<usize>) = (clock::since_boot(), Vec::new());
    for (index, request) in wanted.iter().enumerate() {
        if now <= request.until && !sent.iter().any(|earlier| wanted[*earlier].partition == request.partition) {
            sent.push(index);
        }
    }
    sent
}

/// Callers' entries on their way into calls.
#[derive(Debug)]
pub(super) struct Coalesce<Q, A> {
    waiting: Mutex<Vec<(Q, oneshot::Sender<A>)>>,
    /// One call at a time: the service throttles those that come faster than it likes.
    sending: Semaphore,
}

impl<Q, A> Default for Coalesce<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), sending: Semaphore::new(1) }
    }
}

impl<Q, A> Coalesce<Q, A> {
    /// Asks, in one call with whoever asks by now, of at most `most` entries. `send` answers them
    /// in their order. Nothing is answered where the caller that sent for all was stopped.
    pub(super) async fn ask<'a>(
        &self,
        question: Q,
        most: usize,
        send: impl Fn(Vec<Q>) -> BoxFuture<'a, Vec<A>>,
    ) -> Option<A> {
        let (sender, mut answer) = oneshot::channel();
        self.lock().push((question, sender));
        let permit = self.sending.acquire().await;
        loop {
            match answer.try_recv() {
                Ok(answer) => return Some(answer),
                Err(oneshot::error::TryRecvError::Closed) => return None,
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            if permit.is_err() {
                return None;
            }
            let (questions, senders): (Vec<Q>, Vec<_>) = {
                let mut waiting = self.lock();
                let count = most.min(waiting.len());
                waiting.drain(..count).unzip()
            };
            for (sender, answer) in senders.into_iter().zip(send(questions).await) {
                // Nobody waits for it any more.
                let _ = sender.send(answer);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Q, oneshot::Sender<A>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_ask_in_few_calls_and_each_has_its_own_answer() {
        let (gather, calls) = (Coalesce::default(), AtomicUsize::new(0));
        let send = |questions: Vec<u64>| -> BoxFuture<'_, Vec<u64>> {
            assert!(questions.len() <= 100);
            calls.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                questions.iter().map(|question| question * 2).collect()
            })
        };
        let asked = (0..250).map(|question| gather.ask(question, 100, &send));
        let answers = futures::future::join_all(asked).await;
        assert_eq!(answers, (0..250).map(|question| Some(question * 2)).collect::<Vec<_>>());
        assert!(calls.into_inner() <= 4);
    }
}
