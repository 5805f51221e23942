//! Rows as they come: the parts of a plan are read at the same time, each a bounded piece ahead,
//! and handed out in the order of the parts.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::failed::failed;
use super::limits::Shares;
use crate::error::{Error, Result};

/// What rows are made into before they are handed on.
pub(super) trait AnswerPiece: Send + 'static {
    /// The memory that it takes.
    fn bytes(&self) -> usize;
}

impl AnswerPiece for RecordBatch {
    fn bytes(&self) -> usize {
        self.get_array_memory_size()
    }
}

/// What rows were made into, in order.
pub(super) type AnswerPieces<P> = BoxStream<'static, Result<P>>;

/// Where rows come from.
pub(super) enum RowSource {
    /// A plan whose every part is read from its files alone: its parts are one after another in the
    /// answer.
    Parts(Plan),
    /// Any other plan.
    Whole(Plan),
    /// Batches that somebody else makes.
    Batches(BoxStream<'static, Result<RecordBatch>>),
}

/// A plan and what it takes to carry it out.
#[expect(clippy::struct_field_names, reason = "the plan is what it holds")]
pub(super) struct Plan {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
    pub(super) shares: Shares,
}

/// A part that is being read.
struct ReadingPart<P> {
    pieces: mpsc::Receiver<Result<(P, OwnedSemaphorePermit)>>,
    /// Ends the reading when it is dropped.
    task: SpawnedTask<()>,
}

/// The parts of a plan that are being read, and those that are still to be.
struct PartsAhead<P, M> {
    plan: Arc<Plan>,
    make: Arc<M>,
    parts: usize,
    next: usize,
    running: VecDeque<ReadingPart<P>>,
}

/// Pieces that a part may be ahead by, however small they are.
const PIECES_AHEAD: usize = 64;

/// The parts of a plan, made into something by the threads that read them.
pub(super) fn ahead<P: AnswerPiece>(
    plan: Plan,
    parts: usize,
    make: impl Fn(&RecordBatch) -> Result<P> + Send + Sync + 'static,
) -> AnswerPieces<P> {
    let ahead = PartsAhead { plan: Arc::new(plan), make: Arc::new(make), parts, next: 0, running: VecDeque::new() };
    stream::unfold(ahead, async |mut ahead| Some((ahead.piece().await?, ahead))).fuse().boxed()
}

impl<P: AnswerPiece, M: Fn(&RecordBatch) -> Result<P> + Send + Sync + 'static> PartsAhead<P, M> {
    /// The next piece, of the first part that has one left.
    async fn piece(&mut self) -> Option<Result<P>> {
        loop {
            while self.next < self.parts && self.running.len() < self.plan.shares.parts {
                self.running.push_back(self.start(self.next));
                self.next += 1;
            }
            if let Some(piece) = self.running.front_mut()?.pieces.recv().await {
                return Some(piece.map(|(piece, _)| piece));
            }
            if let Err(error) = self.running.pop_front()?.task.join().await {
                // The engine's readers panic on some damaged files.
                let what = "its reader gave up: a file of the lake is damaged, and edgemill verify --deep --lake LAKE tells which";
                return Some(Err(Error::Query { source: format!("{what} ({error})").into() }));
            }
        }
    }

    fn start(&self, part: usize) -> ReadingPart<P> {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let (plan, make, parts) = (Arc::clone(&self.plan), Arc::clone(&self.make), self.parts);
        let task = SpawnedTask::spawn(async move {
            let batches = if parts == 1 {
                execute_stream(Arc::clone(&plan.plan), Arc::clone(&plan.context))
            } else {
                plan.plan.execute(part, Arc::clone(&plan.context))
            };
            let read = match batches {
                Ok(batches) => read(batches, plan.shares.part_ahead_bytes(), &*make, &sender).await,
                Err(error) => Err(failed(error)),
            };
            if let Err(error) = read {
                // Nobody waits for the error of an answer that is not wanted any more.
                let _ = sender.send(Err(error)).await;
            }
        });
        ReadingPart { pieces, task }
    }
}

/// Reads a part, and waits where it is far enough ahead.
async fn read<P: AnswerPiece>(
    mut batches: SendableRecordBatchStream,
    ahead_bytes: usize,
    make: &(impl Fn(&RecordBatch) -> Result<P> + Sync),
    sender: &mpsc::Sender<Result<(P, OwnedSemaphorePermit)>>,
) -> Result<()> {
    let room_kib = u32::try_from(ahead_bytes >> 10).unwrap_or(u32::MAX >> 4).max(1);
    let room = Arc::new(Semaphore::new(room_kib as usize));
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(failed)?;
        if batch.num_rows() == 0 {
            continue;
        }
        let piece = make(&batch)?;
        drop(batch);
        // What is larger than the room gets all of it, alone.
        let kib = u32::try_from(piece.bytes() >> 10).unwrap_or(u32::MAX).clamp(1, room_kib);
        let Ok(permit) = Arc::clone(&room).acquire_many_owned(kib).await else { return Ok(()) };
        if sender.send(Ok((piece, permit))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
