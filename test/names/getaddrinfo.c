// Prints what the C library says a name's IPv4 addresses are, a line each; ends with 1 when it knows none.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **words) {
  struct addrinfo hints, *first;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (count < 2 || getaddrinfo(words[1], 0, &hints, &first) != 0) {
    return 1;
  }
  for (struct addrinfo *each = first; each != 0; each = each->ai_next) {
    puts(inet_ntoa(((struct sockaddr_in *)each->ai_addr)->sin_addr));
  }
  return 0;
}
