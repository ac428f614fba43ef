// Sees connections being asked for, where nobody listens to them: a refusal is the kernel's, and no program
// hears of it. Needs the right to open packet sockets (root, or CAP_NET_RAW).
#pragma once

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>

#include "../upstream/sockets.hpp"

namespace bench {

class Connects {
 public:
  Connects() {
    int const socket = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    socket_ = socket;
    // IPv4, TCP, SYN without ACK.
    std::array<sock_filter, 8> filter{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 5),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 128),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    sock_fprog const program{static_cast<unsigned short>(filter.size()), filter.data()};
    checked(::setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
            "SO_ATTACH_FILTER");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
    checked(::bind(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address), "bind to lo");
  }
  Connects(Connects const&) = delete;
  Connects& operator=(Connects const&) = delete;
  ~Connects() {
    if (permitted()) ::close(socket_);
  }

  [[nodiscard]] bool permitted() const { return socket_ >= 0; }
  [[nodiscard]] int socket() const { return socket_; }

  // Hands over the port of each connection asked for since the last call.
  void drain(std::function<void(std::uint16_t)> const& asked) const {
    std::array<unsigned char, 128> packet{};
    sockaddr_ll from{};
    while (true) {
      socklen_t size = sizeof from;
      auto const got =
          ::recvfrom(socket_, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) return;
      // The loopback shows each packet twice: on its way out and coming in.
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      auto const tcp = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
      if (static_cast<std::size_t>(got) < tcp + 4) continue;
      asked(static_cast<std::uint16_t>(packet[tcp + 2] << 8 | packet[tcp + 3]));
    }
  }

 private:
  int socket_ = -1;
};

}  // namespace bench
