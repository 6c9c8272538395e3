import CopyModel
import Testing

@Test("a record of another length ends the segment with ILI, what was read before it is written")
func incorrectLength() {
  let result = run(
    [tapeTarget(), diskTarget()], [blocksAndStream(0x01, 0, 1, length: 512, blocks: 3)],
    [tape([pattern(512), pattern(400)]), disk(8)])
  #expect(result.code == [0xA, 0x0D, 0x01])
  #expect(result.sourceSense?.incorrectLength == true)
  #expect(result.sourceSense?.information == 112)
  #expect(result.information == 2)
  #expect(result.position(0) == 2)
}

@Test("a longer record gives a negative INFORMATION")
func longerRecord() {
  let result = run(
    [tapeTarget()], [segment(0x06, 0, 0, [0] + be(512, 3) + be(512, 4))], [tape([pattern(600)])])
  #expect(result.sourceSense?.information == -88)
  #expect(result.information == nil)
}

@Test("fixed mode counts blocks, a filemark and end of data say which they are")
func filemarkAndEndOfData() {
  let objects: [ModelTape.Object] = [.record(pattern(100)), .filemark, .record(pattern(100))]
  let discard = segment(0x06, 0, 0, [0] + be(3, 3) + be(300, 4))
  let first = run(
    [tapeTarget(fixed: 100)], [discard], [.tape(ModelTape(objects: objects))])
  #expect(first.sourceSense?.filemark == true)
  #expect(first.sourceSense?.information == 2)
  #expect(first.position(0) == 2)
  let second = run(
    [tapeTarget(fixed: 100)], [discard], [.tape(ModelTape(objects: objects, position: 2))])
  #expect(second.sourceSense?.senseKey == 0x8)
  #expect(second.sourceSense?.ascq == 0x05)
  #expect(second.position(0) == 3)
}

@Test("a tape that is full in the middle of a fixed command has what fitted")
func overflow() {
  let result = run(
    [diskTarget(), tapeTarget(fixed: 512)],
    [blocksAndStream(0x00, 0, 1, length: 4, blocks: 8)],
    [disk(8), .tape(ModelTape(capacity: 3000, earlyWarning: 2500))])
  #expect(result.code == [0xA, 0x0D, 0x01])
  #expect(result.destinationSense?.senseKey == 0xD)
  #expect(result.destinationSense?.information == 3)
  #expect(result.information == 3)
  #expect(result.objects(1).count == 5)
}

@Test("early warning counts as success")
func earlyWarning() {
  let result = run(
    [diskTarget(), tapeTarget(fixed: 512)],
    [blocksAndStream(0x00, 0, 1, length: 4, blocks: 8)],
    [disk(8), .tape(ModelTape(capacity: 4096, earlyWarning: 2500))])
  #expect(result.status == 0)
  #expect(result.objects(1).count == 8)
}

@Test("a write in the middle of a tape cuts off what stood after it")
func truncation() {
  let objects: [ModelTape.Object] = [.record([1]), .record([2]), .record([3])]
  let result = run(
    [tapeTarget()],
    [segment(0x12, 0, 0, be(1, 4)), segment(0x10, 0, 0, [0, 0, 0, 1])],
    [.tape(ModelTape(objects: objects))])
  #expect(result.objects(0) == [.record([1]), .filemark])
  #expect(result.position(0) == 2)
}

@Test("a range past the end of a disk moves nothing, and the segments before it stay done")
func outOfRange() {
  let result = run(
    [diskTarget(), diskTarget()],
    [blocksToBlocks(0, 1, blocks: 1, from: 2), blocksToBlocks(0, 1, blocks: 4, from: 5)],
    [disk(8), disk(8)])
  #expect(result.code == [0xA, 0x0D, 0x02])
  #expect(result.segmentNumber == 1)
  #expect(result.bytes(1) == pattern(512, 1024) + pattern(4096)[512...])
}

@Test("the write protection of the destination is forwarded")
func writeProtected() {
  let result = run(
    [diskTarget(), diskTarget()], [blocksToBlocks(0, 1, blocks: 1)],
    [disk(8), .disk(ModelDisk(blockLength: 512, bytes: pattern(512), readOnly: true))])
  #expect(result.code == [0xA, 0x0D, 0x01])
  #expect(result.destinationSense?.senseKey == 0x7)
  #expect(result.destinationSense?.asc == 0x27)
}

@Test("13h ends after the asked number of filemarks in a row, which it copies")
func tapeImage() {
  let objects: [ModelTape.Object] = [
    .record([1]), .filemark, .record([2, 3]), .filemark, .filemark, .record([4]),
  ]
  let devices: [ModelDevice] = [.tape(ModelTape(objects: objects)), tape()]
  let two = run([tapeTarget(), tapeTarget()], [segment(0x13, 0, 1, be(2, 4))], devices)
  #expect(two.objects(1) == Array(objects[..<5]))
  #expect(two.position(0) == 5)
  let all = run([tapeTarget(), tapeTarget()], [segment(0x13, 0, 1, be(0, 4))], devices)
  #expect(all.objects(1) == objects)
}

@Test("SPACE stops at filemarks and at both ends")
func space() {
  let objects: [ModelTape.Object] = [.record([1]), .filemark, .record([2])]
  func space(_ code: UInt8, _ count: Int, from position: Int) -> ModelResult {
    run(
      [tapeTarget()], [segment(0x11, 0, 0, [code] + be(count, 3))],
      [.tape(ModelTape(objects: objects, position: position))])
  }
  #expect(space(0, 3, from: 0).destinationSense?.filemark == true)
  #expect(space(0, 3, from: 0).destinationSense?.information == 2)
  #expect(space(0, 3, from: 0).position(0) == 2)
  #expect(space(0, -2, from: 3).position(0) == 1)
  #expect(space(1, -1, from: 3).position(0) == 1)
  #expect(space(1, 2, from: 0).destinationSense?.senseKey == 0x8)
  #expect(space(0, -2, from: 1).destinationSense?.endOfMedium == true)
  #expect(space(3, 0, from: 0).position(0) == 3)
}

@Test("a list that is wrong as a whole is refused before anything runs")
func refusals() {
  let good = list([diskTarget(), tapeTarget()], [segment(0x10, 0, 1, [0, 0, 0, 1])])
  func refusal(_ change: (inout [UInt8]) -> Void) -> ModelResult {
    var list = good
    change(&list)
    let result = execute(list: list, devices: [disk(8), tape()], heldDataLimit: 0)
    #expect(result.senseKey == 5)
    #expect(result.segmentNumber == nil)
    #expect(result.objects(1).isEmpty)
    return result
  }
  #expect(refusal { $0.removeLast() }.code == [5, 0x1A, 0])
  #expect(refusal { $0[12] = 1 }.fieldPointer == ModelFieldPointer(offset: 12, inSegment: false))
  #expect(refusal { $0[16] = 0xC0 }.code == [5, 0x26, 0x07])
  #expect(refusal { $0[80] = 0x3F }.code == [5, 0x26, 0x09])
  #expect(refusal { $0[83] = 9 }.code == [5, 0x26, 0x00])
  #expect(refusal { $0[76] = 1 }.code == [5, 0x26, 0x00])
}
