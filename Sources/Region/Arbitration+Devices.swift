import CRegion

// One job holds a device; a second one finds it busy. The drive's own persistent reservation stands
// behind this table, for those who do not see it.
extension Arbitration {
  /// Claims a device, by the name that all processors know it by, before the first command that moves
  /// its medium.
  ///
  /// - Throws: `deviceHeld` where another job has it, or a silent processor that may still use it.
  public mutating func claimDevice(_ name: [UInt8], for id: JobID, by member: ProcessorID)
    throws(RegionError)
  {
    let job = try held(id, by: member, in: .searching, .transferring)
    try refuseAborted(job)
    guard !name.isEmpty, name.count <= CR_IDENTITY_MAX else { throw .badIdentity }
    var free: Record<cr_device>?
    for index in 0..<geometry.deviceCount {
      let entry = device(index)
      let holder = entry[.holderJob]
      if holder == 0 {
        free = free ?? entry
      } else if deviceName(entry) == name {
        guard holder == id.number, entry[.holderEpoch] == member.epoch else {
          throw .deviceHeld(by: JobID(number: holder))
        }
        return
      }
    }
    guard let free else { throw .full(.devices) }
    free.store(name, in: .identity, limit: CR_IDENTITY_MAX)
    free[.identityBytes] = UInt32(name.count)
    free[.holderEpoch] = member.epoch
    free[.holderJob] = id.number
  }

  func deviceName(_ entry: Record<cr_device>) -> [UInt8] {
    entry.bytes(.identity, count: entry[.identityBytes], limit: CR_IDENTITY_MAX)
  }

  /// Releases a device before the job ends, such as one of a search that went on elsewhere.
  public mutating func releaseDevice(_ name: [UInt8], for id: JobID, by member: ProcessorID)
    throws(RegionError)
  {
    _ = try held(id, by: member, in: .searching)
    for index in 0..<geometry.deviceCount {
      let entry = device(index)
      guard entry[.holderJob] == id.number, entry[.holderEpoch] == member.epoch,
        deviceName(entry) == name
      else { continue }
      entry[.holderJob] = 0
    }
  }

  /// Releases what the job's holder has claimed for it.
  func releaseDevices(of job: Record<cr_job>) {
    let slot = (job.offset - geometry.jobsOffset) / geometry.jobStride
    let number = identity(slot).number
    for index in 0..<geometry.deviceCount {
      let entry = device(index)
      if entry[.holderJob] == number, entry[.holderEpoch] == job[.holderEpoch] {
        entry[.holderJob] = 0
      }
    }
  }

  /// Releases what a processor that is certainly gone had claimed.
  func releaseDevices(ofEpoch epoch: UInt64) {
    for index in 0..<geometry.deviceCount {
      let entry = device(index)
      if entry[.holderJob] != 0, entry[.holderEpoch] == epoch { entry[.holderJob] = 0 }
    }
  }
}
