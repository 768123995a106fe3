// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Fuzz target: a request in a virtqueue
 *
 * The input is: a byte that tells the negotiated features, one with the number
 * of buffers that the guest can write, their lengths (16 bits each), one with
 * the number of those that it has written, and for each its length and bytes.
 * What is decoded is answered, with a text that is longer than most responses
 * have room for.
 */
#include <endian.h>
#include <string.h>

#include "fuzz.h"
#include "request.h"

#define BUFS	8

/**
 * answer() - answer a request
 * @rq: the request
 * @status: what request_decode() said of it
 *
 * The response may not be longer than the room for it.
 */
static void answer(const struct request *rq, uint32_t status)
{
	static const unsigned char body[VIRTIO_BPF_MAX_VALUE_SIZE];
	static const char text[] = "a sentence that is to be cut where the room for it ends";
	struct reply r = {
		.status = status, .body = body, .text = text, .text_len = sizeof(text) - 1,
	};
	size_t len = request_reply_len(rq->type);

	r.body_len = len < sizeof(body) ? len : sizeof(body);
	FUZZ_MUST(request_reply(rq, &r) <= rq->room);
}

/**
 * LLVMFuzzerTestOneInput() - decode a request and answer it
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct iovec out[BUFS], in[BUFS];
	uint64_t features = fuzz_byte(&input);
	unsigned int in_cnt = fuzz_byte(&input) % (BUFS + 1), out_cnt;
	struct request rq;
	uint32_t status;

	/* Exact allocations, so that the sanitizer sees each overrun. */
	for (unsigned int i = 0; i < in_cnt; i++) {
		in[i].iov_len = fuzz_half(&input);
		in[i].iov_base = malloc(in[i].iov_len ? in[i].iov_len : 1);
		FUZZ_MUST(in[i].iov_base);
	}
	out_cnt = fuzz_byte(&input) % (BUFS + 1);
	for (unsigned int i = 0; i < out_cnt; i++) {
		const uint8_t *bytes = fuzz_bytes(&input, fuzz_half(&input), &out[i].iov_len);

		out[i].iov_base = malloc(out[i].iov_len ? out[i].iov_len : 1);
		FUZZ_MUST(out[i].iov_base);
		memcpy(out[i].iov_base, bytes, out[i].iov_len);
	}
	status = request_decode(&rq, features, out, out_cnt, in, in_cnt);
	if (status == VIRTIO_BPF_S_OK)
		FUZZ_MUST(!*rq.why && rq.type && rq.len <= REQUEST_MAX);
	answer(&rq, status);
	request_forget(&rq);
	for (unsigned int i = 0; i < in_cnt; i++)
		free(in[i].iov_base);
	for (unsigned int i = 0; i < out_cnt; i++)
		free(out[i].iov_base);
	return 0;
}
