//! stub
pub fn median(v: &[f64]) -> f64 {
    let mut v = v.to_vec();
    v.sort_by(f64::total_cmp);
    if v.is_empty() {
        f64::NAN
    } else if v.len() % 2 == 1 {
        v[v.len() / 2]
    } else {
        (v[v.len() / 2 - 1] + v[v.len() / 2]) / 2.0
    }
}
pub fn t_interval(v: &[f64]) -> Option<[f64; 3]> {
    if v.len() < 3 {
        return None;
    }
    use statrs::distribution::{ContinuousCDF, StudentsT};
    let n = v.len() as f64;
    let m = v.iter().sum::<f64>() / n;
    let sd = (v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
    let h = t * sd / n.sqrt();
    Some([m - h, m, m + h])
}
pub fn geometric_interval(v: &[f64]) -> Option<[f64; 3]> {
    Some(t_interval(&v.iter().map(|x| x.ln()).collect::<Vec<_>>())?.map(f64::exp))
}
