import CopyModel
import Testing

@Test("100 and 60 blocks become two records of 64 KiB, the last one zero-filled by 49152")
func workedExample() {
  let result = run(
    [diskTarget(), tapeTarget(pad: true)],
    [
      blocksAndStream(0x00, cat: true, 0, 1, length: 65_536, blocks: 100),
      blocksAndStream(0x00, 0, 1, length: 65_536, blocks: 60, lba: 100),
    ],
    [disk(160), tape()])
  let data = pattern(81_920)
  #expect(result.status == 0)
  #expect(
    result.objects(1) == [
      .record(Array(data[..<65_536])),
      .record(Array(data[65_536...]) + [UInt8](repeating: 0, count: 49_152)),
    ])
  #expect(result.bytesRead == 81_920)
  #expect(result.bytesWritten == 131_072)
}

@Test("the golden list writes eight records and a filemark, with both headers")
func goldenList() {
  let segments = [
    blocksAndStream(0x00, 0, 1, length: 65_536, blocks: 1024),
    segment(0x10, 0, 1, [0, 0, 0, 1]),
  ]
  let long = list([diskTarget(), tapeTarget(pad: true)], segments, flags: 0x10)
  #expect(long.count == 116)
  let short = Array(long[..<12]) + Array(long[16...])
  for list in [long, short] {
    let result = execute(list: list, devices: [disk(1024), tape()], heldDataLimit: 0)
    #expect(result.status == 0)
    #expect(result.objects(1).count == 9)
    #expect(result.objects(1).last == .filemark)
    #expect(result.objects(1).first == .record(pattern(65_536)))
  }
}

@Test("a residual of one disk goes to the tape of the next segment")
func residualChangesDevices() {
  let result = run(
    [diskTarget(), tapeTarget(), tapeTarget()],
    [
      blocksAndStream(0x00, cat: true, 0, 1, length: 1000, blocks: 3),
      blocksAndStream(0x00, cat: true, 0, 2, length: 600, blocks: 1, lba: 8),
    ],
    [disk(16), tape(), tape()])
  let data = pattern(1536) + pattern(512, 8 * 512)
  #expect(result.status == 0)
  #expect(result.objects(1) == [.record(Array(data[..<1000]))])
  #expect(result.objects(2) == [.record(Array(data[1000..<1600]))])
}

@Test("without CAT and PAD a residual is an unexpected inexact segment, after the whole blocks")
func inexactSegment() {
  let result = run(
    [diskTarget(), tapeTarget()], [blocksAndStream(0x00, 0, 1, length: 1000, blocks: 3)],
    [disk(16), tape()])
  #expect(result.code == [0xA, 0x26, 0x0A])
  #expect(result.segmentNumber == 0)
  #expect(result.information == 0)
  #expect(result.objects(1) == [.record(Array(pattern(1000)))])
}

@Test("01h reads as many records as its blocks need and keeps the rest as source residual")
func streamToBlocks() {
  let records = [pattern(700), pattern(700, 700), pattern(700, 1400)]
  let result = run(
    [tapeTarget(pad: true), diskTarget()],
    [
      blocksAndStream(0x01, cat: true, 0, 1, length: 700, blocks: 2),
      blocksAndStream(0x01, 0, 1, length: 700, blocks: 2, lba: 2),
    ],
    [tape(records), .disk(ModelDisk(blockLength: 512, bytes: [UInt8](repeating: 0, count: 2560)))]
  )
  #expect(result.status == 0)
  #expect(result.bytes(1) == pattern(2048) + [UInt8](repeating: 0, count: 512))
  #expect(result.position(0) == 3)
}

@Test("a residual left after the blocks that were to be written is an error even with PAD")
func residualBeyondDesignatedBlocks() {
  let result = run(
    [diskTarget(pad: true), diskTarget(pad: true)],
    [
      blocksAndStream(0x00, cat: true, 0, 2, length: 4096, blocks: 3),
      blocksToBlocks(dc: true, 0, 1, blocks: 2),
    ].map { $0 }, [disk(8), disk(8), tape()])
  #expect(result.code == [0xA, 0x08, 0x04])

  let again = run(
    [diskTarget(pad: true), diskTarget(pad: true), tapeTarget()],
    [
      blocksAndStream(0x00, cat: true, 0, 2, length: 4096, blocks: 3),
      blocksToBlocks(dc: true, 0, 1, blocks: 2),
    ], [disk(8), disk(8), tape()])
  #expect(again.code == [0xA, 0x26, 0x0A])
  #expect(again.segmentNumber == 1)
  #expect(again.information == 0)
}

@Test("inline data follows the destination residual and leaves the source residual alone")
func inlineData() {
  let records = [pattern(100), pattern(100, 100)]
  let result = run(
    [tapeTarget(), tapeTarget(pad: true)],
    [
      segment(0x03, cat: true, 0, 1, [0] + be(100, 3) + [0] + be(40, 3) + be(50, 4)),
      segment(0x04, cat: true, 0, 1, [0] + be(40, 3) + be(4, 4) + be(30, 4)),
      segment(0x03, 0, 1, [0] + be(100, 3) + [0] + be(40, 3) + be(50, 4)),
    ],
    [tape(records), tape()], inline: pattern(40, 1000))
  let data = pattern(50) + pattern(30, 1004) + pattern(50, 50)
  #expect(result.status == 0)
  #expect(
    result.objects(1) == [
      .record(Array(data[..<40])), .record(Array(data[40..<80])),
      .record(Array(data[80..<120])), .record(data[120...] + [UInt8](repeating: 0, count: 30)),
    ])
  #expect(result.position(0) == 1)
}

@Test("0Ah onto its own range gives what a copy through memory gives")
func overlap() {
  let rest = be(1500, 4) + be(0, 8) + be(1, 8) + be(100, 2) + be(88, 2)
  let result = run([diskTarget()], [segment(0x0A, 0, 0, rest)], [disk(8)])
  var expected = pattern(4096)
  expected.replaceSubrange(600..<2100, with: pattern(1500, 100))
  #expect(result.status == 0)
  #expect(result.bytes(0) == expected)
}

@Test("held data keeps its newest bytes")
func heldData() {
  let result = run(
    [diskTarget(), tapeTarget()],
    [blocksAndStream(0x0B, 0, 1, length: 512, blocks: 2)], [disk(8), tape()], held: 600)
  #expect(result.heldData == Array(pattern(1024).suffix(600)))
  #expect(result.heldDataDiscarded)
}
