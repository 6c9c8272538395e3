import Devices
import SAM
import SCSI
import Uring

/// Operations that end before their turn, and those that are waited for: what task management needs.
extension BlockStore {
  /// A command was aborted: what it waits to do is not done.
  func withdraw(_ command: Command) {
    guard
      let index = waiting.firstIndex(where: {
        $0.command === command || $0.task?.command === command
      })
    else { return }
    let operation = waiting.remove(at: index)
    if operation.isExclusive { exclusiveCount -= 1 }
    if let continuation = operation.continuation.take() {
      continuation.resume()
    } else {
      client.withdraw(operation)
      recycle(operation)
    }
    serve()
  }

  /// Ends what copies do here. Those of their operations that wait for their turn end with a
  /// condition; returns after the last completion of those that have begun.
  ///
  /// - Parameter ending: for the nexus that ordered a copy, how it ends; nil where it goes on.
  func endCopies(_ ending: (Nexus) -> Condition?) async {
    var ended: [(operation: BlockOperation, condition: Condition)] = []
    waiting.removeAll { operation in
      guard let nexus = operation.copy?.nexus, let condition = ending(nexus) else { return false }
      ended.append((operation, condition))
      return true
    }
    for (operation, condition) in ended {
      guard let copy = operation.copy.take(), let payload = operation.payload.take() else {
        preconditionFailure("a copy's transfer has its memory from the start")
      }
      recycle(operation)
      copy.client.complete(
        DeviceCompletion(tag: copy.tag, status: .check(condition), payload: payload))
    }
    if !ended.isEmpty { serve() }
    await settle { operation in operation.copy.map { ending($0.nexus) != nil } ?? false }
  }

  /// Waits for the end of those operations that are there now, and are meant.
  func settle(where isMeant: (BlockOperation) -> Bool) async {
    let next = nextSerial
    func isPresent(_ operation: BlockOperation) -> Bool {
      operation.serial < next && isMeant(operation)
    }
    while running.contains(where: isPresent) || waiting.contains(where: isPresent) {
      await withCheckedContinuation { endWaiters.append($0) }
    }
  }

  func resumeEndWaiters() {
    let waiters = endWaiters
    endWaiters = []
    for waiter in waiters { waiter.resume() }
  }
}
