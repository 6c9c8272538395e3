import CopyManager
import Devices
import ExtendedCopy
import SCSI
import Transfer
import Uring

/// One parameter list, on its processor's thread.
enum ListRun {
  static func run(
    _ request: ListRequest, _ context: JobContext
  ) async throws(EngineError) -> ListReport {
    let opener = DeviceOpener(context)
    do throws(EngineError) {
      let report = try await run(request, context, opener)
      await opener.closeAll()
      return report
    } catch {
      await opener.closeAll()
      throw error
    }
  }

  private static func run(
    _ request: ListRequest, _ context: JobContext, _ opener: DeviceOpener
  ) async throws(EngineError) -> ListReport {
    context.state.update { $0.phase = .opening }
    let binding = try DeviceBinding(request.devices)
    let decoded = decode(request)
    // What names no descriptor is refused before anything is opened.
    let resolved = try decoded.list.map { list throws(EngineError) in try binding.resolve(list) }
    var devices: [CopyDevice] = []
    for entry in request.devices {
      devices.append(try await opener.open(entry.device, for: .commands))
    }
    let before = context.ring.counters
    let began = context.ring.now
    let result: CopyResult
    if let list = decoded.list, let resolved {
      let streaming = opener.streaming(request.devices.map(\.device), threshold: nil)
      result = await execute(
        list, resolved.map { $0.map { devices[$0] } }, streaming, context)
    } else {
      result = CopyResult(
        status: .checkCondition, sense: decoded.error?.sense, segmentsProcessed: 0, heldData: [],
        heldDataDiscarded: false, counters: TransferCounters())
    }
    context.state.update { $0.phase = .flushing }
    var report = ListReport(
      result, identifier: decoded.identifier, arena: ArenaFacts(context.ring.arena.facts))
    report.seconds = Double(context.ring.now - began) / 1e9
    report.message = decoded.error?.description
    if let list = decoded.list, let resolved, let sense = result.sense {
      let names = resolved.map { $0.map { request.devices[$0].device } }
      report.message = ListExplanation(
        list: list, names: names, devices: resolved.map { $0.map { devices[$0] } }
      ).text(sense)
    }
    report.counters.note(context.ring.counters, since: before, opener.fileCounters)
    report.counters.payloadBytesCopied += opener.copiedByteCount
    report.counters.repositionings = opener.repositionings ?? report.counters.repositionings
    report.devices = await positions(request, devices)
    return report
  }

  private static func execute(
    _ list: ParameterList, _ devices: [CopyDevice?], _ streaming: StreamingPolicy?,
    _ context: JobContext
  ) async -> CopyResult {
    let manager = CopyManager(ring: context.ring, limits: context.limits, streaming: streaming)
    let state = context.state
    let ring = context.ring
    let began = ring.now
    state.update { $0.phase = .copying }
    let ticker = Ticker(ring, everyMilliseconds: 100) {
      let bytes = manager.counters.bytesWritten
      let seconds = Double(ring.now - began) / 1e9
      state.update {
        $0.bytes = bytes
        $0.seconds = seconds
      }
      if state.isCancelled { manager.cancel() }
    }
    let result = await manager.execute(list, devices: devices)
    await ticker.stop()
    return result
  }

  private static func positions(
    _ request: ListRequest, _ devices: [CopyDevice]
  ) async -> [ListReport.Device] {
    var all: [ListReport.Device] = []
    for (entry, device) in zip(request.devices, devices) {
      var position: UInt64?
      if case .stream(let tape) = device { position = (try? await tape.position())?.object }
      all.append(ListReport.Device(device: entry.device, position: position))
    }
    return all
  }

  private static func decode(
    _ request: ListRequest
  ) -> (list: ParameterList?, error: ParameterListError?, identifier: UInt32) {
    do throws(ParameterListError) {
      let list = try ParameterList.decode(request.bytes, serviceAction: request.serviceAction)
      return (list, nil, list.listIdentifier)
    } catch {
      let first = request.serviceAction == .lid1 ? request.bytes.first.map { UInt32($0) } : nil
      return (nil, error, first ?? 0)
    }
  }
}

extension ListReport {
  fileprivate init(_ result: CopyResult, identifier: UInt32, arena: ArenaFacts) {
    self.init(
      status: result.status, sense: result.sense, message: nil, listIdentifier: identifier,
      segmentsProcessed: result.segmentsProcessed, heldData: result.heldData,
      heldDataDiscarded: result.heldDataDiscarded, counters: CopyCounters(result.counters),
      seconds: 0, devices: [], arena: arena)
  }
}
