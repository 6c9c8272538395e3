import CRegion

/// How many of each there are in a region, and so where everything lies.
public struct RegionGeometry: Equatable, Sendable {
  /// Processors of all controllers, 1 to 64: a bitmap table has one bit for each.
  public let processorCount: Int
  /// Jobs that may wait, run, or keep a result at one time.
  public let jobCount: Int
  /// Search notes that a job keeps; further ones are counted only.
  public let noteCount: Int
  /// Devices that may be held at one time.
  public let deviceCount: Int
  /// Chunks for parameter lists and data of results.
  public let chunkCount: Int
  /// Bytes of a chunk, a multiple of 64.
  public let chunkBytes: Int

  let processorsOffset: Int
  let jobsOffset: Int
  let jobStride: Int
  let devicesOffset: Int
  let linksOffset: Int
  let chunksOffset: Int
  /// Bytes of the whole region.
  public let totalBytes: Int

  /// The most bytes a region may have.
  public static let totalBytesMaximum = 16 << 30

  /// Room for 64 processors, 256 jobs, and 64 MiB of lists, so four of the longest.
  public static let standard: RegionGeometry = {
    guard
      let standard = RegionGeometry(
        processorCount: 64, jobCount: 256, noteCount: 128, deviceCount: 256, chunkCount: 1024,
        chunkBytes: 64 << 10)
    else { preconditionFailure("the standard geometry is within its limits") }
    return standard
  }()

  /// nil where a number is out of its limits.
  public init?(
    processorCount: Int, jobCount: Int, noteCount: Int, deviceCount: Int, chunkCount: Int,
    chunkBytes: Int
  ) {
    guard (1...CR_PROCESSORS_MAX).contains(processorCount), (1...65_536).contains(jobCount),
      (1...4096).contains(noteCount), (1...65_536).contains(deviceCount),
      (1...1 << 20).contains(chunkCount), (64...16 << 20).contains(chunkBytes),
      chunkBytes % 64 == 0
    else { return nil }
    self.processorCount = processorCount
    self.jobCount = jobCount
    self.noteCount = noteCount
    self.deviceCount = deviceCount
    self.chunkCount = chunkCount
    self.chunkBytes = chunkBytes
    processorsOffset = CR_HEADER_BYTES
    jobsOffset = processorsOffset + processorCount * CR_PROCESSOR_BYTES
    jobStride = (CR_JOB_BYTES + noteCount * CR_NOTE_BYTES + 63) & ~63
    devicesOffset = jobsOffset + jobCount * jobStride
    linksOffset = devicesOffset + deviceCount * CR_DEVICE_BYTES
    let border = chunkBytes % 4096 == 0 ? 4096 : 64
    chunksOffset = (linksOffset + chunkCount * 4 + border - 1) & ~(border - 1)
    totalBytes = chunksOffset + chunkCount * chunkBytes
    guard totalBytes <= Self.totalBytesMaximum else { return nil }
  }

  /// The most bytes of one parameter list.
  public var listBytesMaximum: Int { chunkCount * chunkBytes }

  func chunksFor(_ byteCount: Int) -> Int { (byteCount + chunkBytes - 1) / chunkBytes }

  /// What the header of a region says; nil where that cannot be.
  init?(header: Record<cr_header>) {
    self.init(
      processorCount: Int(header[.processorCount]), jobCount: Int(header[.jobCount]),
      noteCount: Int(header[.noteCount]), deviceCount: Int(header[.deviceCount]),
      chunkCount: Int(header[.chunkCount]), chunkBytes: Int(header[.chunkBytes]))
  }
}
