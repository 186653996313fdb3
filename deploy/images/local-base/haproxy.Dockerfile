# A stand-in for `haproxy:3.2` on a machine without an image registry: Debian's HAProxy, at the path of the real image.
FROM scratch
ADD root.tar /
RUN mkdir -p /usr/local/sbin && ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy \
 && printf 'root:x:0:0:root:/root:/bin/sh\nhaproxy:x:1000:1000::/tmp:/bin/sh\n' > /etc/passwd \
 && printf 'root:x:0:\nhaproxy:x:1000:\n' > /etc/group
CMD ["haproxy"]
