import ISCSIProtocol
import Uring

extension PDUChannel {
  /// The additional header segments of the PDU that `place` or `received` is about; allocates where
  /// there are any.
  public var additionalHeader: [UInt8] {
    let count = header.additionalHeaderByteCount
    guard count > 0 else { return [] }
    let start = Self.headerOffset + BasicHeaderSegment.byteCount
    return block.sharing(start..<start + count).bytes()
  }

  /// Whether `place` was answered with `wait`.
  public var waitsForPlacement: Bool {
    if case .placement = phase { state == .open } else { false }
  }

  /// Answers a `place` that said to wait.
  public func place(_ placement: consuming Placement) {
    guard case .placement = phase, state == .open else { return }
    follow(placement)
  }

  func receiveHeader() {
    guard state == .open, !isPaused else {
      phase = .idle
      return
    }
    phase = .header
    receivesDigest = hasHeaderDigest
    receivedHeaderByteCount =
      BasicHeaderSegment.byteCount + (receivesDigest ? Self.digestByteCount : 0)
    receive(block.sharing(Self.headerOffset..<Self.headerOffset + receivedHeaderByteCount))
  }

  private func receive(_ payload: consuming Payload) {
    operations += 1
    counters.receives += 1
    ring.receive(file, into: payload, for: self, tag: Self.receiveTag)
  }

  func received(_ completion: consuming Completion) {
    let result = completion.result
    let payload = completion.takePayload()
    counters.receivedBytes += max(0, Int(result))
    guard state == .open, !isFinishing else { return }
    guard result == payload.byteCount else {
      return fail(result < 0 ? .socket(errno: -result) : .endOfStream)
    }
    switch phase {
    case .header: headerArrived()
    case .additionalHeader: wholeHeaderArrived()
    case .data: dataArrived(payload)
    case .discard(let remaining): discard(remaining)
    case .idle, .placement: preconditionFailure("a receive has a phase")
    }
  }

  private func headerArrived() {
    header = BasicHeaderSegment(block.load(at: Self.headerOffset))
    let additional = header.additionalHeaderByteCount
    guard additional <= Self.mostAdditionalHeaderBytes else {
      return fail(.additionalHeaderTooLong(byteCount: additional))
    }
    // Where there are further segments the first of them came in place of the digest.
    guard additional > 0 else { return wholeHeaderArrived() }
    phase = .additionalHeader
    let start = Self.headerOffset + receivedHeaderByteCount
    receivedHeaderByteCount += additional
    receive(block.sharing(start..<start + additional))
  }

  private func wholeHeaderArrived() {
    if receivesDigest {
      let end = Self.headerOffset + receivedHeaderByteCount - Self.digestByteCount
      let computed = Self.digest(of: block.sharing(Self.headerOffset..<end))
      guard Self.isEqual(computed, block.load(at: end)) else {
        counters.headerDigestErrors += 1
        return fail(.headerDigest)
      }
    }
    counters.receivedPDUs += 1
    let length = header.dataSegmentLength
    guard length <= maximumDataSegmentLength else {
      return fail(.dataSegmentTooLong(byteCount: length, limit: maximumDataSegmentLength))
    }
    guard length > 0 else { return deliver(ring.arena.empty(), false) }
    phase = .placement
    guard let owner else { return }
    follow(owner.place(header))
  }

  private func follow(_ placement: consuming Placement) {
    guard state == .open else { return }
    switch consume placement {
    case .into(var payload):
      precondition(
        payload.byteCount == header.dataSegmentLength, "a placement fits the data segment")
      phase = .data
      receivesDigest = hasDataDigest
      let trailer = header.paddingByteCount + (receivesDigest ? Self.digestByteCount : 0)
      if trailer > 0 {
        payload.append(
          block.sharing(Self.trailerReceiveOffset..<Self.trailerReceiveOffset + trailer))
      }
      receive(payload)
    case .discard:
      counters.discardedDataBytes += header.dataSegmentLength
      discard(
        header.dataSegmentLength + header.paddingByteCount
          + (hasDataDigest ? Self.digestByteCount : 0))
    case .wait: break
    case .refuse: fail(.refused)
    }
  }

  private func dataArrived(_ payload: consuming Payload) {
    var rest = payload
    let data = rest.removeFirst(header.dataSegmentLength)
    counters.receivedDataBytes += data.byteCount
    var fails = false
    if receivesDigest {
      let padding = header.paddingByteCount
      var covered = data.sharing(data.byteCount)
      covered.append(rest.sharing(padding))
      fails = !Self.isEqual(Self.digest(of: covered), rest.load(at: padding))
      if fails { counters.dataDigestErrors += 1 }
    }
    deliver(data, fails)
  }

  private func deliver(_ data: consuming Payload, _ fails: Bool) {
    phase = .idle
    owner?.received(header, data: data, dataDigestFails: fails)
    if case .idle = phase { receiveHeader() }
  }

  /// Receives bytes over and over into the sink, as many times in one operation as is cheap.
  private func discard(_ byteCount: Int) {
    guard byteCount > 0 else {
      phase = .idle
      return receiveHeader()
    }
    var payload = ring.arena.empty()
    while payload.byteCount < byteCount, payload.sliceCount < Self.mostSinkSlices {
      let part = min(Self.sinkByteCount, byteCount - payload.byteCount)
      payload.append(block.sharing(Self.sinkOffset..<Self.sinkOffset + part))
    }
    phase = .discard(remaining: byteCount - payload.byteCount)
    receive(payload)
  }

  private static let mostSinkSlices = 16
}
