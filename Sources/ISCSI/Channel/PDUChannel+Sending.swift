import Glibc
public import ISCSIProtocol
public import Uring

extension PDUChannel {
  /// Whether one more PDU may be sent.
  public var hasRoom: Bool {
    if ring.arena.freeSliceCount > Self.sliceReserve { return freeSlot != Self.none }
    // Where slices are short there is always one PDU that makes progress.
    return firstQueued == Self.none && !isSending && freeSlot != Self.none
  }

  /// Most bytes of metadata that are copied into the channel.
  public static var mostCopiedBytes: Int { fieldByteCount }

  /// Whether one more PDU with a copy of so many bytes may be sent, up to `mostCopiedBytes`.
  public func hasRoom(forBytes count: Int) -> Bool {
    precondition(count <= Self.fieldByteCount, "longer data have a payload of their own")
    return hasRoom && (count <= Self.inlineByteCount || freeFields != 0)
  }

  /// Queues a PDU. It goes with the next `flush`, or with the send after the one in flight. The caller
  /// has looked at `hasRoom`. DataSegmentLength and TotalAHSLength are filled in.
  ///
  /// - Parameters:
  ///   - additionalHeader: encoded additional header segments, at most 28 bytes.
  ///   - data: the data segment, which is dropped once it was sent.
  ///   - tag: what `released` is told.
  public func send(
    _ header: BasicHeaderSegment, additionalHeader: [UInt8] = [], data: consuming Payload,
    tag: UInt64
  ) {
    let slot = takeSlot(header, additionalHeader, data.byteCount, tag)
    finish(slot, data)
  }

  /// The same with a copy of a few bytes of metadata, at most 256. The caller has looked at
  /// `hasRoom(forBytes:)`.
  public func send(_ header: BasicHeaderSegment, bytes: [UInt8], tag: UInt64) {
    let slot = takeSlot(header, [], bytes.count, tag)
    guard !bytes.isEmpty else { return finish(slot, ring.arena.empty()) }
    var start = slot * Self.slotByteCount + Self.inlineOffset
    if bytes.count > Self.inlineByteCount {
      precondition(freeFields != 0, "callers look for room")
      let field = freeFields.trailingZeroBitCount
      freeFields &= ~(1 << UInt8(field))
      slots[slot].field = field
      start = Self.fieldsOffset + field * Self.fieldByteCount
    }
    block.store(bytes, at: start)
    finish(slot, block.sharing(start..<start + bytes.count))
  }

  private func takeSlot(
    _ given: BasicHeaderSegment, _ additionalHeader: [UInt8], _ byteCount: Int, _ tag: UInt64
  ) -> Int {
    precondition(freeSlot != Self.none, "callers look for room")
    precondition(
      additionalHeader.count <= Self.mostAdditionalHeaderBytes
        && additionalHeader.count % 4 == 0, "additional header segments fit the slot")
    let slot = freeSlot
    freeSlot = slots[slot].next
    var header = given
    header.dataSegmentLength = byteCount
    header.bytes[4] = UInt8(additionalHeader.count / 4)
    let start = slot * Self.slotByteCount
    block.store(header.bytes, at: start)
    var end = start + BasicHeaderSegment.byteCount
    if !additionalHeader.isEmpty {
      block.store(additionalHeader, at: end)
      end += additionalHeader.count
    }
    if hasHeaderDigest {
      block.store(Self.digest(of: block.sharing(start..<end)), at: end)
      end += Self.digestByteCount
    }
    slots[slot].headerByteCount = end - start
    slots[slot].tag = tag
    slots[slot].isStarted = false
    slots[slot].isHandedOver = false
    slots[slot].field = -1
    slots[slot].next = Self.none
    counters.sentDataBytes += byteCount
    return slot
  }

  private func finish(_ slot: Int, _ data: consuming Payload) {
    let padding = (4 - data.byteCount % 4) % 4
    let start = slot * Self.slotByteCount + Self.trailerOffset
    slots[slot].trailerByteCount = padding
    if !data.isEmpty {
      if padding > 0 { block.store(InlineArray<4, UInt8>(repeating: 0), at: start) }
      if hasDataDigest {
        var covered = data.sharing(data.byteCount)
        covered.append(block.sharing(start..<start + padding))
        block.store(Self.digest(of: covered), at: start + padding)
        slots[slot].trailerByteCount += Self.digestByteCount
      }
    }
    slots[slot].data = consume data
    counters.sentPDUs += 1
    if lastQueued == Self.none { firstQueued = slot } else { slots[lastQueued].next = slot }
    lastQueued = slot
  }

  /// Sends what waits, as much as goes in one operation, unless a send is in flight.
  public func flush() {
    guard state == .open, !isSending, firstQueued != Self.none else { return }
    var whole = ring.arena.empty()
    let head = firstQueued
    var last = Self.none
    while firstQueued != Self.none {
      let slot = firstQueued
      var part = compose(slot)
      let ranges = whole.isEmpty ? part.rangeCount : whole.sliceCount + part.rangeCount
      if ranges > Arena.mostRanges {
        if whole.isEmpty {
          whole = Self.removeFirstRanges(&part)
          slots[slot].data = consume part
          slots[slot].isStarted = true
        } else {
          putBack(slot, part)
        }
        break
      }
      if !whole.isEmpty,
        whole.byteCount + part.byteCount > Self.mostSendBytes
          || ring.arena.freeSliceCount < Self.sliceReserve
      {
        putBack(slot, part)
        break
      }
      whole.append(part)
      last = slot
      firstQueued = slots[slot].next
    }
    if firstQueued == Self.none { lastQueued = Self.none }
    // The slots of this send stay linked from its first one on.
    if last != Self.none { slots[last].next = Self.none } else { partialSlot = head }
    sendingByteCount = whole.byteCount
    isSending = true
    operations += 1
    counters.sends += 1
    let avoidsCopy =
      mayAvoidCopies && last != Self.none
      && whole.byteCount >= Self.leastUncopiedBytes && uncopiedSends < Self.mostUncopiedSends
      && ring.room > ring.capacity / Self.operationParts
    isAvoidingCopy = avoidsCopy
    if avoidsCopy { copiedSendsBefore = ring.counters.copiedSends }
    ring.send(
      file, from: whole, withoutCopying: avoidsCopy, for: self,
      tag: UInt64(last == Self.none ? Self.slotCount : head))
  }

  /// Header, data and trailer of a slot, or what is left of them.
  private func compose(_ slot: Int) -> Payload {
    guard let data = slots[slot].data.take() else { preconditionFailure("a queued slot has data") }
    if slots[slot].isStarted { return data }
    let start = slot * Self.slotByteCount
    var whole = block.sharing(start..<start + slots[slot].headerByteCount)
    whole.append(data)
    let trailer = slots[slot].trailerByteCount
    if trailer > 0 {
      let at = start + Self.trailerOffset
      whole.append(block.sharing(at..<at + trailer))
    }
    return whole
  }

  /// Undoes `compose` for a slot that goes with a later send.
  private func putBack(_ slot: Int, _ part: consuming Payload) {
    slots[slot].data = consume part
    slots[slot].isStarted = true
  }

  /// As many of the first ranges as one operation takes.
  private static func removeFirstRanges(_ payload: inout Payload) -> Payload {
    var ranges = 0
    var byteCount = 0
    unsafe payload.forEachRange { range in
      if ranges < Arena.mostRanges { byteCount += range.count }
      ranges += 1
    }
    return payload.removeFirst(byteCount)
  }

  // MARK: Completions

  /// A send that does not copy: the next one may follow.
  func handedOver(_ head: Int, _ result: Int32) {
    precondition(head < Self.slotCount, "a send without copying ends whole PDUs")
    slots[head].isHandedOver = true
    uncopiedSends += 1
    isSending = false
    if result < 0 { return fail(.socket(errno: -result)) }
    // What follows must not stand in the stream where the rest of these bytes belongs.
    guard Int(result) == sendingByteCount else { return fail(.endOfStream) }
    proceed()
  }

  func sent(_ completion: consuming Completion) {
    let head = Int(truncatingIfNeeded: completion.tag)
    let result = completion.result
    let isWhole = result == completion.payload.byteCount
    counters.sentBytes += max(0, Int(result))
    let payload = completion.takePayload()
    if isAvoidingCopy, head < Self.slotCount, !slots[head].isHandedOver, state == .open,
      [-EINVAL, -ENOMEM, -ENOBUFS, -EOPNOTSUPP].contains(result)
    {
      // This kernel does not report what it copies (before Linux 6.2), or may pin no more.
      mayAvoidCopies = false
      isAvoidingCopy = false
      operations += 1
      ring.send(file, from: payload, for: self, tag: UInt64(head))
      return
    }
    _ = consume payload
    var wasHandedOver = false
    if head < Self.slotCount {
      wasHandedOver = slots[head].isHandedOver
      if wasHandedOver {
        uncopiedSends -= 1
        if ring.counters.copiedSends > copiedSendsBefore { mayAvoidCopies = false }
      }
      release(from: head)
    } else {
      // It is in the queue for the rest, unless the queue was dropped meanwhile.
      let slot = partialSlot
      partialSlot = Self.none
      if state == .closing { release(from: slot) }
    }
    if !wasHandedOver { isSending = false }
    guard isWhole else { return fail(result < 0 ? .socket(errno: -result) : .endOfStream) }
    proceed()
  }

  private func proceed() {
    guard state == .open else { return }
    if !isFinishing { owner?.hasRoom() }
    flush()
    closeIfFinished()
  }

  /// Frees a list of slots.
  private func release(from head: Int) {
    var slot = head
    while slot != Self.none {
      let next = slots[slot].next
      let tag = slots[slot].tag
      slots[slot].data = nil
      if slots[slot].field >= 0 { freeFields |= 1 << UInt8(slots[slot].field) }
      slots[slot].next = freeSlot
      freeSlot = slot
      owner?.released(tag: tag)
      slot = next
    }
  }

  /// Forgets what waits; a PDU that is partly in flight is released when the kernel has done with it.
  func dropQueue() {
    var head = firstQueued
    if partialSlot != Self.none {
      precondition(head == partialSlot, "a PDU that was begun stays first")
      head = slots[partialSlot].next
      slots[partialSlot].next = Self.none
    }
    firstQueued = Self.none
    lastQueued = Self.none
    release(from: head)
  }
}
