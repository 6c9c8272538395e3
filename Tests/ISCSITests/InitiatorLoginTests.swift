import Digests
import ISCSIProtocol
import Testing
import Uring

@testable import ISCSI

@Suite("A login of the initiator")
struct InitiatorLoginTests {
  private func credential(_ user: String, _ secret: String) throws -> CHAPCredential {
    try CHAPCredential(user: user, secret: CHAPSecret(Array(secret.utf8)))
  }

  @Test("ends where a target redirects without an end")
  func redirections() async throws {
    try await withFakeTarget { target in
      var count = 0
      let port = target.address.port
      let script = target.play { target in
        guard let again = PortalAddress(host: "127.0.0.1", port: port) else { return }
        for _ in 0...InitiatorOptions.mostRedirections {
          count += 1
          _ = try? await target.logIn(.redirect(again, isPermanent: false))
        }
      }
      await #expect(throws: InitiatorError.self) {
        _ = try await InitiatorSession.open(try target.options, ring: target.ring)
      }
      await script.wait()
      #expect(count == InitiatorOptions.mostRedirections + 1)
    }
  }

  @Test("follows one redirection")
  func redirection() async throws {
    try await withFakeTarget { target in
      let port = target.address.port
      let script = target.play { target in
        guard let again = PortalAddress(host: "127.0.0.1", port: port) else { return }
        _ = try? await target.logIn(.redirect(again, isPermanent: false))
        try await target.logIn().end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      await session.close()
      await script.wait()
    }
  }

  @Test("succeeds by CHAP in both directions, and fails where the target does not know its secret")
  func mutual() async throws {
    for (secret, works) in [("secret-of-target", true), ("another-secret-", false)] {
      try await withFakeTarget { target in
        let own = try credential("initiator", "secret-of-initiator")
        let chap = try TargetCHAP(
          accepted: [own], own: try credential("target", secret))
        let script = target.play { target in
          let connection = try await target.logIn(
            .admit(.chap(chap), portalGroupTag: 1, alias: nil))
          try await connection.end()
        }
        var options = try target.options
        options.authentication = try InitiatorCHAP(
          own: own, target: try credential("target", "secret-of-target"))
        do {
          let session = try await InitiatorSession.open(options, ring: target.ring)
          #expect(works)
          await session.close()
        } catch let error as InitiatorError {
          #expect(!works)
          guard case .loginFailed = error else { throw error }
          // It never holds a secret.
          #expect(!"\(error)".contains("secret-of"))
        }
        await script.wait()
      }
    }
  }

  @Test("says what the target refused, and that a name and password are missing")
  func refusals() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        for status in [LoginStatus.authenticationFailure, .notFound, .outOfResources] {
          _ = try? await target.logIn(.refuse(status))
        }
      }
      for (status, word) in [
        (LoginStatus.authenticationFailure, "password"), (.notFound, "discover"),
        (.outOfResources, "out of resources"),
      ] {
        do {
          _ = try await InitiatorSession.open(try target.options, ring: target.ring)
        } catch let error as InitiatorError {
          #expect(error == .loginRefused(target: try target.options.label, status: status))
          #expect("\(error)".contains(word) && "\(error)".contains(FakeTarget.name))
        }
      }
      await script.wait()
    }
  }

  @Test("ends in time at a portal that says nothing, and at one that is not there")
  func silence() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let exchange = try await target.accept()
        _ = try? await exchange.receive()
        _ = try? await exchange.receive()
        await exchange.close()
      }
      var options = try target.options
      options.loginTimeoutSeconds = 1
      await #expect(
        throws: InitiatorError.loginTimeout(target: options.label, seconds: 1)
      ) {
        _ = try await InitiatorSession.open(options, ring: target.ring)
      }
      await script.wait()
    }
    try await withFakeTarget { target in
      target.close()
      do {
        _ = try await InitiatorSession.open(try target.options, ring: target.ring)
        Issue.record("nobody listens")
      } catch let error as InitiatorError {
        guard case .unreachable = error else { throw error }
      }
    }
  }

  @Test("is cut by the target before its first answer")
  func cut() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in await (try await target.accept()).close() }
      do {
        _ = try await InitiatorSession.open(try target.options, ring: target.ring)
        Issue.record("there was no answer")
      } catch let error as InitiatorError {
        guard case .connectionLost = error else { throw error }
      }
      await script.wait()
    }
  }
}

@Suite("Discovery")
struct InitiatorDiscoveryTests {
  @Test("puts a list together that comes in pieces")
  func pieces() async throws {
    try await withFakeTarget { target in
      let text = SendTargets.encode([
        DiscoveredTarget(name: try ISCSIName("iqn.2026-11.org.example:a"), addresses: []),
        DiscoveredTarget(
          name: try ISCSIName("iqn.2026-11.org.example:b"),
          addresses: [try #require(PortalAddress("127.0.0.1:3260,1"))]),
      ])
      let script = target.play { target in
        let connection = try await target.logIn()
        for (piece, tag) in [(text[..<20], UInt32(5)), (text[20...], TextResponse.reservedTag)] {
          let request = try TextRequest(try await connection.exchange.receive().header)
          connection.expCmdSN = request.cmdSN.advanced(by: 1)
          try connection.exchange.send(
            TextResponse(
              initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: tag,
              statSN: connection.nextStatSN(), expCmdSN: connection.expCmdSN,
              maxCmdSN: connection.maxCmdSN, isContinued: tag != TextResponse.reservedTag
            ).header, text: Array(piece))
        }
        try await connection.end()
      }
      var options = try target.options
      options.targetName = nil
      let found = try await InitiatorDiscovery.targets(options, ring: target.ring)
      #expect(found.map { "\($0.name)" }.map { $0.suffix(2) } == [":a", ":b"])
      #expect(found.last?.addresses.count == 1)
      await script.wait()
    }
  }

  @Test("refuses a name with control characters or a path in it")
  func names() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let connection = try await target.logIn()
        let request = try TextRequest(try await connection.exchange.receive().header)
        try connection.exchange.send(
          TextResponse(
            initiatorTaskTag: request.initiatorTaskTag, statSN: connection.nextStatSN(),
            expCmdSN: connection.expCmdSN, maxCmdSN: connection.maxCmdSN
          ).header, text: Array("TargetName=iqn.2026-11.org.example:../x\0".utf8))
        try await connection.end()
      }
      var options = try target.options
      options.targetName = nil
      await #expect(throws: InitiatorError.self) {
        _ = try await InitiatorDiscovery.targets(options, ring: target.ring)
      }
      await script.wait()
    }
  }
}
