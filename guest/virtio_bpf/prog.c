// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Programs
 *
 * The kernel's verifier calls 'prepare' before it looks at a program, 'finalize'
 * when it has accepted it, and 'translate' after it rewrote it for itself. The
 * host wants the program as the user wrote it: the instructions are taken at
 * 'prepare' and sent at 'finalize', where the host's answer can be written into
 * the user's log. What the driver has against a program, it says there, too:
 * an error of 'prepare' reaches the user as a number alone.
 *
 * At 'prepare' an instruction that refers to a map holds the address of a
 * kernel object. The address is replaced by the map's handle while the
 * instruction is copied, and never leaves.
 */
#include <linux/bpf_verifier.h>
#include <linux/ctype.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "virtio_bpf_drv.h"

/* The verifier formats a line in a buffer of 1024 bytes */
#define VBPF_LOG_LINE 512

/**
 * struct vbpf_prog - an offloaded program
 * @vbpf: its device
 * @handle: on the device, or 0 while it is not loaded there
 * @load: the request to load it, from prepare to finalize
 * @refusal: what the driver has against it, or NULL
 * @refused_at: the instruction concerned
 */
struct vbpf_prog {
	struct vbpf_dev *vbpf;
	u32 handle;
	struct vbpf_req *load;
	const char *refusal;
	u32 refused_at;
};

/**
 * vbpf_prog_handle() - the handle of a program
 * @prog: a program offloaded to one of our devices
 *
 * Context: rtnl
 * Return: the handle
 */
u32 vbpf_prog_handle(const struct bpf_prog *prog)
{
	struct vbpf_prog *priv = prog->aux->offload->dev_priv;

	return priv->handle;
}

/**
 * vbpf_copy_name() - copy the name of an object for the host
 * @to: zeroed; not ended by a NUL if full
 * @from: a name of less than VIRTIO_BPF_NAME_LEN bytes, or a longer text
 *
 * Only characters that the protocol allows are copied.
 */
void vbpf_copy_name(u8 to[VIRTIO_BPF_NAME_LEN], const char *from)
{
	unsigned int n = 0;

	for (; *from && n < VIRTIO_BPF_NAME_LEN; from++)
		if (isascii(*from) &&
		    (isalnum(*from) || *from == '_' || *from == '.'))
			to[n++] = *from;
}

/**
 * vbpf_refuse() - note what the driver has against a program
 * @priv: the program
 * @at: the instruction concerned
 * @why: a text of static lifetime
 */
static void vbpf_refuse(struct vbpf_prog *priv, u32 at, const char *why)
{
	if (priv->refusal)
		return;
	priv->refusal = why;
	priv->refused_at = at;
}

/**
 * vbpf_copy_ld_imm64() - copy a 64-bit immediate load for the host
 * @priv: the program
 * @from: both halves, in the verifier's form
 * @to: both halves, in the protocol's form; registers and immediates are set
 * @at: number of the instruction
 */
static void vbpf_copy_ld_imm64(struct vbpf_prog *priv,
			       const struct bpf_insn from[2],
			       struct virtio_bpf_insn to[2], u32 at)
{
	struct bpf_map *map;
	u32 handle;

	switch (from[0].src_reg) {
	case 0:
		to[0].imm = cpu_to_le32(from[0].imm);
		to[1].imm = cpu_to_le32(from[1].imm);
		return;
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_IDX:
		map = (struct bpf_map *)(unsigned long)
		      ((u64)(u32)from[1].imm << 32 | (u32)from[0].imm);
		handle = vbpf_map_handle(priv->vbpf, map);
		if (!handle)
			vbpf_refuse(priv, at, "the map is not offloaded to this device");
		to[0].regs = from[0].dst_reg | BPF_PSEUDO_MAP_FD << 4;
		to[0].imm = cpu_to_le32(handle);
		return;
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		vbpf_refuse(priv, at, "global data cannot be offloaded");
		return;
	case BPF_PSEUDO_BTF_ID:
		vbpf_refuse(priv, at, "kernel variables cannot be offloaded");
		return;
	case BPF_PSEUDO_FUNC:
		vbpf_refuse(priv, at, "callbacks cannot be offloaded");
		return;
	default:
		vbpf_refuse(priv, at, "unknown kind of 64-bit immediate");
	}
}

/**
 * vbpf_copy_insns() - copy a program for the host
 * @priv: the program
 * @prog: the kernel's side of it
 * @to: as many zeroed instructions in the protocol's form
 */
static void vbpf_copy_insns(struct vbpf_prog *priv, const struct bpf_prog *prog,
			    struct virtio_bpf_insn *to)
{
	const struct bpf_insn *from = prog->insnsi;
	u32 i;

	for (i = 0; i < prog->len; i++) {
		to[i].code = from[i].code;
		to[i].regs = from[i].dst_reg | from[i].src_reg << 4;
		to[i].off = cpu_to_le16(from[i].off);
		if (from[i].code != (BPF_LD | BPF_IMM | BPF_DW)) {
			to[i].imm = cpu_to_le32(from[i].imm);
			continue;
		}
		/* The verifier has seen to it that the second half is there */
		if (i + 1 < prog->len)
			vbpf_copy_ld_imm64(priv, &from[i], &to[i], i);
		i++;
	}
}

/**
 * vbpf_prog_build() - make the request that loads a program
 * @priv: the program
 * @prog: the kernel's side of it
 *
 * Return: 0 or -ENOMEM; without a request where the driver refuses the program
 */
static int vbpf_prog_build(struct vbpf_prog *priv, const struct bpf_prog *prog)
{
	u32 max_insns = READ_ONCE(priv->vbpf->limits.max_insns);
	struct virtio_bpf_prog_load *body;

	if (prog->len > max_insns) {
		vbpf_refuse(priv, max_insns,
			    "the program has more instructions than the host takes");
		return 0;
	}
	priv->load = vbpf_req_alloc(VIRTIO_BPF_PROG_LOAD, sizeof(*body),
				    prog->len * sizeof(struct virtio_bpf_insn),
				    sizeof(struct virtio_bpf_prog_loaded),
				    READ_ONCE(priv->vbpf->limits.max_text));
	if (!priv->load)
		return -ENOMEM;
	body = vbpf_req_body(priv->load);
	body->prog_class = cpu_to_le16(VIRTIO_BPF_CLASS_XDP);
	body->direction = cpu_to_le16(VIRTIO_BPF_DIR_RX);
	body->insn_cnt = cpu_to_le32(prog->len);
	body->ifindex = cpu_to_le32(prog->aux->offload->netdev->ifindex);
	vbpf_copy_name(body->name, prog->aux->name);
	BUILD_BUG_ON(sizeof(body->tag) != sizeof(prog->tag));
	memcpy(body->tag, prog->tag, sizeof(body->tag));
	vbpf_copy_insns(priv, prog, (struct virtio_bpf_insn *)(body + 1));
	return 0;
}

/**
 * vbpf_prog_free() - free what the driver has of a program
 * @priv: the program
 */
static void vbpf_prog_free(struct vbpf_prog *priv)
{
	vbpf_req_put(priv->load);
	kfree(priv);
	module_put(THIS_MODULE);
}

/**
 * vbpf_prog_prepare() - a program is about to be verified
 * @prog: the program
 *
 * Return: 0 or a negative errno; then there will be no vbpf_prog_destroy()
 */
static int vbpf_prog_prepare(struct bpf_prog *prog)
{
	struct vbpf_dev *vbpf = bpf_offload_dev_priv(prog->aux->offload->offdev);
	struct net_device *netdev = prog->aux->offload->netdev;
	struct vbpf_prog *priv;
	int err;

	if (prog->type != BPF_PROG_TYPE_XDP) {
		vbpf_warn(vbpf, netdev, "only XDP programs can be offloaded\n");
		return -EOPNOTSUPP;
	}
	if (!(vbpf->limits.classes & BIT(VIRTIO_BPF_CLASS_XDP))) {
		vbpf_warn(vbpf, netdev, "the BPF device takes no XDP programs\n");
		return -EOPNOTSUPP;
	}
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	if (!priv) {
		module_put(THIS_MODULE);
		return -ENOMEM;
	}
	priv->vbpf = vbpf;
	err = vbpf_prog_build(priv, prog);
	if (err) {
		vbpf_prog_free(priv);
		return err;
	}
	prog->aux->offload->dev_priv = priv;
	return 0;
}

/**
 * vbpf_prog_insn_hook() - the verifier is at an instruction
 * @env: the verifier
 * @insn_idx: the instruction
 * @prev_insn_idx: the one before
 *
 * This is called for every step on every path. The host has its own verifier,
 * so nothing is looked at here.
 *
 * Return: 0
 */
static int vbpf_prog_insn_hook(struct bpf_verifier_env *env, int insn_idx,
			       int prev_insn_idx)
{
	return 0;
}

/**
 * vbpf_prog_log() - write the host's text into the user's verifier log
 * @env: the verifier
 * @text: the text, any number of lines; cut up
 *
 * Each line says where it comes from: this kernel's verifier has its own say
 * in the same log.
 */
static void vbpf_prog_log(struct bpf_verifier_env *env, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (!*line && !text)
			break;
		bpf_verifier_log_write(env, "virtio_bpf: ");
		for (; strlen(line) > VBPF_LOG_LINE; line += VBPF_LOG_LINE)
			bpf_verifier_log_write(env, "%.*s", VBPF_LOG_LINE, line);
		bpf_verifier_log_write(env, "%s\n", line);
	}
}

/**
 * vbpf_prog_finalize() - the verifier has accepted a program: load it
 * @env: the verifier
 *
 * Return: 0 or a negative errno, then with words in the log
 */
static int vbpf_prog_finalize(struct bpf_verifier_env *env)
{
	struct vbpf_prog *priv = env->prog->aux->offload->dev_priv;
	struct virtio_bpf_prog_loaded *loaded;
	struct vbpf_req *load = priv->load;
	char *text;
	int err;

	if (priv->refusal) {
		bpf_verifier_log_write(env, "virtio_bpf: insn %u: %s\n",
				       priv->refused_at, priv->refusal);
		return -EOPNOTSUPP;
	}
	err = vbpf_req_run(priv->vbpf, load);
	if (!err) {
		loaded = vbpf_resp_body(load);
		priv->handle = le32_to_cpu(READ_ONCE(loaded->handle));
		if (!priv->handle)
			err = -EIO;
	}
	text = vbpf_req_text(load);
	if (text)
		vbpf_prog_log(env, text);
	else if (err)
		bpf_verifier_log_write(env, "virtio_bpf: %s\n",
				       vbpf_error_text(err));
	priv->load = NULL;
	vbpf_req_put(load);
	/* libbpf takes ENOSPC for a log buffer that was too small, and would try
	 * again with larger and larger ones.
	 */
	return err == -ENOSPC ? -EDQUOT : err;
}

/**
 * vbpf_prog_replace_insn() - the verifier replaces an instruction
 * @env: the verifier
 * @off: which
 * @insn: by what
 *
 * Such changes, of branches never taken and of code never reached, are for the
 * kernel's copy. The host was sent the program before, and optimises its own.
 *
 * Return: 0
 */
static int vbpf_prog_replace_insn(struct bpf_verifier_env *env, u32 off,
				  struct bpf_insn *insn)
{
	return 0;
}

/**
 * vbpf_prog_remove_insns() - the verifier removes instructions
 * @env: the verifier
 * @off: the first
 * @cnt: how many
 *
 * See vbpf_prog_replace_insn().
 *
 * Return: 0
 */
static int vbpf_prog_remove_insns(struct bpf_verifier_env *env, u32 off, u32 cnt)
{
	return 0;
}

/**
 * vbpf_prog_translate() - the verifier is done: make machine code
 * @prog: the program
 *
 * The host did at vbpf_prog_finalize().
 *
 * Return: 0
 */
static int vbpf_prog_translate(struct bpf_prog *prog)
{
	return 0;
}

/**
 * vbpf_prog_destroy() - a program goes, or its device does
 * @prog: the program; not attached
 */
static void vbpf_prog_destroy(struct bpf_prog *prog)
{
	struct vbpf_prog *priv = prog->aux->offload->dev_priv;

	if (priv->handle)
		vbpf_post_handle(priv->vbpf, VIRTIO_BPF_PROG_FREE, priv->handle);
	vbpf_prog_free(priv);
}

const struct bpf_prog_offload_ops vbpf_prog_ops = {
	.insn_hook	= vbpf_prog_insn_hook,
	.finalize	= vbpf_prog_finalize,
	.replace_insn	= vbpf_prog_replace_insn,
	.remove_insns	= vbpf_prog_remove_insns,
	.prepare	= vbpf_prog_prepare,
	.translate	= vbpf_prog_translate,
	.destroy	= vbpf_prog_destroy,
};
