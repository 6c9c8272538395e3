import Glibc
import SCSI
import Uring

extension Cartridge {
  /// The steps of the ring that are not transfers of records: a turn of the loop before what ended
  /// at once is delivered, and the entry that drops what is about to be overwritten.
  final class Steps: CompletionHandler {
    private enum Step: UInt64 {
      case deliver, writeEntry, synchronizeEntry
    }

    private unowned let cartridge: Cartridge
    private var isDelivering = false
    private var settling = Settling()
    private var pending: (index: TapeIndex, object: UInt64)?

    init(_ cartridge: Cartridge) { self.cartridge = cartridge }

    /// Delivers in the next turn: a device never completes inside the call that submits.
    func deliverSoon() {
      guard !isDelivering else { return }
      isDelivering = true
      cartridge.ring.timeout(nanoseconds: 0, for: self, tag: Step.deliver.rawValue)
    }

    /// Waits until nothing is in flight that no client waits for.
    func settle() async {
      while isDelivering { unsafe await withUnsafeContinuation { unsafe settling.wait($0) } }
    }

    /// Writes the entry that drops everything from `object` on, and makes it durable.
    func drop(from object: UInt64) {
      var index = cartridge.index
      let bytes = index.encode(.truncate(object: object))
      pending = (index, object)
      guard var payload = cartridge.entryPayload.take() else {
        preconditionFailure("one entry at a time is written ahead of data")
      }
      payload.overwrite(with: bytes)
      cartridge.ring.write(
        cartridge.indexFile, at: cartridge.index.byteCount, from: payload, for: self,
        tag: Step.writeEntry.rawValue)
    }

    override func complete(_ completion: consuming Completion) {
      guard let step = Step(rawValue: completion.tag) else {
        preconditionFailure("a step knows its completions")
      }
      let result = completion.result
      switch step {
      case .deliver:
        isDelivering = false
        cartridge.deliver()
        settling.end()
      case .writeEntry:
        let payload = completion.takePayload()
        if result == -EAGAIN || result == -EINTR
          || (result >= 0 && Int(result) < TapeIndex.entryByteCount)
        {
          // Written again from its start: the same bytes in the same place.
          cartridge.ring.write(
            cartridge.indexFile, at: cartridge.index.byteCount, from: payload, for: self,
            tag: Step.writeEntry.rawValue)
          return
        }
        cartridge.entryPayload = consume payload
        if result < 0 { return end(result) }
        synchronize()
      case .synchronizeEntry:
        if result == -EAGAIN || result == -EINTR { return synchronize() }
        end(result)
      }
    }

    private func synchronize() {
      cartridge.ring.synchronize(
        cartridge.indexFile, for: self, tag: Step.synchronizeEntry.rawValue)
    }

    private func end(_ result: Int32) {
      guard let (index, object) = pending.take() else {
        preconditionFailure("an entry that ends was begun")
      }
      cartridge.dropped(result, index, object)
    }
  }

  /// Called before the first durable object is overwritten: writes wait until that is known.
  func dropDurably(from object: UInt64) {
    precondition(!queue.isTruncating, "what was dropped is not dropped again")
    queue.isTruncating = true
    steps.drop(from: object)
  }

  private func dropped(_ result: Int32, _ index: TapeIndex, _ object: UInt64) {
    queue.isTruncating = false
    if result < 0 {
      let failure = Condition.cartridge(errno: -result, writing: true, residual: 0)
      self.failure = failure
      queue.isFailing = true
      var isFirst = true
      for position in 0..<queue.count {
        queue.change(queue.place(position)) { operation in
          guard operation.state == .waiting, isFirst else { return }
          isFirst = false
          operation.state = .ended
          operation.fail(byteCount: 0, errno: -result)
        }
      }
      return deliver()
    }
    self.index = index
    self.index.becameDurable()
    durableObjectCount = object
    if object == 0 { wantsNewIndex = true }
    for position in 0..<queue.count {
      let place = queue.place(position)
      var waits = false
      queue.change(place) { waits = $0.state == .waiting }
      if waits { start(place) }
    }
  }
}
